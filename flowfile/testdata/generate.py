#!/usr/bin/python3
"""Write the golden files of package flowfile with NumPy, OpenCV, h5py and oiiotool.

All contain the same field of 7 x 5 pixels: u = 3x - 2y + 0.25, v = 0.5 y^2 - x - 1/64. Two pixels are unknown.
Run the script in this folder. It needs Debian's python3-numpy, python3-opencv, python3-h5py and openimageio-tools.
"""
import struct, subprocess
import cv2, h5py, numpy as np

H, W = 5, 7
y, x = np.mgrid[0:H, 0:W].astype(np.float32)
flow = np.stack([3 * x - 2 * y + 0.25, 0.5 * y * y - x - 1 / 64], -1).astype("<f4")
unknown = np.zeros((H, W), bool)
unknown[1, 2] = unknown[4, 6] = True
flow[unknown] = np.nan

with open("golden.flo", "wb") as f:
    f.write(b"PIEH" + struct.pack("<ii", W, H) + np.where(np.isnan(flow), np.float32(1e10), flow).tobytes())

bgr = np.zeros((H, W, 3), np.uint16)
bgr[..., 2] = np.where(unknown, 0, np.nan_to_num(flow[..., 0]) * 64 + 32768)
bgr[..., 1] = np.where(unknown, 0, np.nan_to_num(flow[..., 1]) * 64 + 32768)
bgr[..., 0] = ~unknown
cv2.imwrite("golden.png", bgr)

three = np.concatenate([flow, np.zeros((H, W, 1), "<f4")], -1)
for name, order, scale in (("golden.pfm", "<f4", "-1.0"), ("big-endian.pfm", ">f4", "1.0")):
    with open(name, "wb") as f:
        f.write(f"PF\n{W} {H}\n{scale}\n".encode() + three[::-1].astype(order).tobytes())

np.save("golden.npy", flow)
np.save("float64.npy", flow.astype(">f8"))
np.save("float16.npy", flow.astype("<f2"))

for name, options in {
    "golden.flo5": dict(compression="gzip", compression_opts=5),
    "float16.flo5": dict(dtype=np.float16, compression="gzip", chunks=(2, 3, 1)),
    "shuffle.flo5": dict(compression="gzip", shuffle=True, chunks=(3, 4, 2)),
    "fletcher.flo5": dict(compression="gzip", fletcher32=True, chunks=(3, 4, 2)),
    "contiguous.flo5": dict(),
    "float64-big-endian.flo5": dict(dtype=">f8", compression="gzip"),
}.items():
    options.setdefault("dtype", np.float32)
    with h5py.File(name, "w") as f:
        f.create_dataset("flow", data=flow.astype(options.pop("dtype")), **options)
with h5py.File("no-flow.flo5", "w") as f:
    f.create_dataset("disparity", data=flow[..., 0])
with h5py.File("integers.flo5", "w") as f:
    f.create_dataset("flow", data=np.zeros((H, W, 2), np.int32))
with h5py.File("huge.flo5", "w") as f:  # claims 2 TB in a file of 2 KB
    f.create_dataset("flow", shape=(1 << 19, 1 << 19, 2), dtype=np.float32, chunks=(64, 64, 2))
with h5py.File("hole.flo5", "w") as f:  # the second half is not written
    d = f.create_dataset("flow", shape=(H, W, 2), dtype=np.float32, chunks=(1, W, 2), compression="gzip", fillvalue=np.nan)
    d[:3] = flow[:3]

for name, options in {
    "golden.exr": ["--ch", "R,G", "--chnames", "forward.u,forward.v", "-d", "float", "--compression", "zip"],
    "half-zips.exr": ["--ch", "R,G", "--chnames", "x,y", "-d", "half", "--compression", "zips"],
    "none-rgb.exr": ["-d", "float", "--compression", "none"],
}.items():
    subprocess.run(["oiiotool", "golden.pfm", *options, "-o", name], check=True)
with h5py.File("golden.flo5") as f:
    assert np.array_equal(f["flow"][()], flow, equal_nan=True)
