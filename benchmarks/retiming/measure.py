"""Leave out every second frame of real clips, make it again, and compare: `wwflow retime`, blending of the neighbours, FFmpeg's minterpolate.

    python3 -m benchmarks.retiming.measure CLIP... --wwflow ./wwflow [--frames 9] [--side 480] [--sheet worst.png] [--write docs/retiming.md]

All three get the same frames, shrunk to --side pixels on the longer side. PSNR (dB) and SSIM (Gaussian windows of 11 pixels, on grey) are
means over the frames that were left out. The sheet has the frame on which wwflow is worst: truth, wwflow, blending, minterpolate.
"""
import argparse
import glob
import os
import subprocess
import tempfile

import cv2
import numpy as np

from benchmarks import document

RATE = 24  # frames a second that the clips are given; their own do not matter here
MINTERPOLATE = f"minterpolate=fps={RATE}:mi_mode=mci:mc_mode=aobmc:me_mode=bidir:vsbmc=1:scd=none"


def ffmpeg(*arguments):
    subprocess.run(["ffmpeg", "-v", "error", "-y", *arguments], check=True)


def psnr(a, b):
    return 10 * np.log10(255 ** 2 / max(1e-6, np.mean((a.astype(np.float64) - b) ** 2)))


def ssim(a, b):
    a, b = (cv2.cvtColor(x, cv2.COLOR_BGR2GRAY).astype(np.float64) for x in (a, b))
    blur = lambda x: cv2.GaussianBlur(x, (11, 11), 1.5)
    ma, mb = blur(a), blur(b)
    va, vb, ab = blur(a * a) - ma * ma, blur(b * b) - mb * mb, blur(a * b) - ma * mb
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    return float(np.mean((2 * ma * mb + c1) * (2 * ab + c2) / ((ma * ma + mb * mb + c1) * (va + vb + c2))))


def measure(clip, args):
    """{method: [(psnr, ssim, frame)]} for the frames that were left out, and these frames."""
    with tempfile.TemporaryDirectory() as folder:
        at = lambda *names: os.path.join(folder, *names)
        for name in ("all", "even", "mci"):
            os.mkdir(at(name))
        ffmpeg("-ss", str(args.start), "-i", clip, "-frames:v", str(args.frames), "-fps_mode", "passthrough",
               "-vf", f"scale='if(gt(iw,ih),{args.side},-2)':'if(gt(iw,ih),-2,{args.side})':flags=area", at("all", "%04d.png"))
        frames = [cv2.imread(p) for p in sorted(glob.glob(at("all", "*.png")))]
        frames = frames[:len(frames) - 1 + len(frames) % 2]
        if len(frames) < 5:
            raise SystemExit(f"{clip} has {len(frames)} frames after {args.start} s; at least 5 are needed: try a smaller --start")
        for i, f in enumerate(frames[::2]):
            cv2.imwrite(at("even", f"{i:04d}.png"), f)
        even = at("even.mkv")
        ffmpeg("-framerate", f"{RATE}/2", "-i", at("even", "%04d.png"), "-c:v", "ffv1", "-pix_fmt", "bgr0", even)
        subprocess.run([args.wwflow, "retime", even, "--fps", str(RATE), "-o", at("ours/"), "--quiet"], check=True)
        ffmpeg("-i", even, "-vf", MINTERPOLATE, "-frame_pts", "1", "-fps_mode", "passthrough", at("mci", "%04d.png"))
        results = {"wwflow": [], "blending": [], "minterpolate": []}
        for k in range(1, len(frames), 2):
            mci = cv2.imread(at("mci", f"{k:04d}.png"))
            if mci is None:
                continue  # it leaves out frames at the ends; the others are not scored there either
            made = {"wwflow": cv2.imread(at("ours", f"{k:06d}.png")), "minterpolate": mci,
                    "blending": np.round((frames[k - 1].astype(np.float64) + frames[k + 1]) / 2).astype(np.uint8)}
            for name, f in made.items():
                results[name].append((psnr(f, frames[k]), ssim(f, frames[k]), f, frames[k]))
        return results


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("clips", nargs="+")
    p.add_argument("--wwflow", default="./wwflow")
    p.add_argument("--frames", type=int, default=9)
    p.add_argument("--start", type=float, default=0.1, help="seconds into the clip")
    p.add_argument("--side", type=int, default=480)
    p.add_argument("--write", metavar="DOCUMENT", help="replace the table in this document")
    p.add_argument("--sheet", help="PNG with the worst frame of each clip")
    args = p.parse_args()
    names, rows, sheet = ("wwflow", "blending", "minterpolate"), [], []
    table = []

    def line(text):
        table.append(text)
        print(text, flush=True)

    line("| clip | " + " | ".join(f"{n} PSNR, SSIM" for n in names) + " |")
    line("|---|---|---|---|")
    cell = lambda v: f"{v[0]:.2f}, {v[1]:.4f}"
    for clip in args.clips:
        r = measure(clip, args)
        if not r["wwflow"]:
            line(f"| {os.path.basename(clip)} | minterpolate gave no frames | | |")
            continue
        rows.append([np.mean([x[:2] for x in r[n]], 0) for n in names])
        line(f"| {os.path.splitext(os.path.basename(clip))[0]} | " + " | ".join(cell(v) for v in rows[-1]) + " |")
        worst = min(range(len(r["wwflow"])), key=lambda i: r["wwflow"][i][0])
        sheet.append(np.hstack([r["wwflow"][worst][3]] + [r[n][worst][2] for n in names]))
    if len(rows) > 1:
        line("| **mean** | " + " | ".join(cell(v) for v in np.mean(rows, 0)) + " |")
    if args.write:
        document.replace_table(args.write, "\n".join(table))
    if args.sheet:
        width = max(s.shape[1] for s in sheet)
        cv2.imwrite(args.sheet, np.vstack([cv2.copyMakeBorder(s, 0, 0, 0, width - s.shape[1], cv2.BORDER_CONSTANT) for s in sheet]))


if __name__ == "__main__":
    main()
