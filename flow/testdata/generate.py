"""Write the tiny networks that flow's tests run: /usr/bin/python3 flow/testdata/generate.py

Their arithmetic is exact in float32, so that the tests can demand equality:

  code = R + 256 G                     the encoder's feature, 1xHxW
  flow = (code_b - code_a, code_a / 2)
  log_scale = (R_a - G_a) / 32

`endless` has the same encoder and a decoder that never ends by itself, to test cancellation. `../probe.onnx`, y = x + x, is what a device must run before it counts as usable.
"""
import json
import pathlib
import torch

here = pathlib.Path(__file__).parent


class Probe(torch.nn.Module):
    def forward(self, x):
        return x + x


class Encoder(torch.nn.Module):
    def forward(self, frame):
        x = frame.float()
        code = x[..., 0] + 256 * x[..., 1]
        contrast = (x[..., 0] - x[..., 1]) / 32
        return code, contrast, x[..., 2] * 2, torch._shape_as_tensor(frame)[1:3]


class Decoder(torch.nn.Module):
    def forward(self, code_a, contrast_a, size_a, code_b):
        height, width = size_a[0], size_a[1]
        flow = torch.stack((code_b - code_a, code_a / 2), dim=-1)
        return flow[:, :height, :width], contrast_a + 0 * code_b


class Endless(torch.nn.Module):
    def forward(self, code_a, code_b):
        x = code_a
        # The exporter runs the loop once: on a black frame it ends at once, else in centuries.
        for _ in range(int((code_a.max() * 1e12).long())):
            x = x + code_b
        return torch.stack((x, x), dim=-1), x


def save(name, decoder, decoder_inputs, example, card):
    folder = here / name
    folder.mkdir(exist_ok=True)
    plane = {1: "height", 2: "width"}
    torch.onnx.export(
        Encoder(), torch.zeros(1, 4, 5, 3, dtype=torch.uint8), str(folder / "encoder.onnx"), opset_version=16,
        input_names=["frame"], output_names=["code", "contrast", "unused", "size"],
        dynamic_axes={"frame": plane, "code": plane, "contrast": plane, "unused": plane})
    axes = {n: plane for n in decoder_inputs if not n.endswith("size")}
    torch.onnx.export(
        decoder, example, str(folder / "decoder.onnx"), opset_version=16,
        input_names=decoder_inputs, output_names=["flow", "log_scale"],
        dynamic_axes=axes | {"flow": plane, "log_scale": plane})
    (folder / "model.json").write_text(json.dumps(card, indent=2) + "\n")


plane = torch.ones(1, 4, 5)
card = {
    "format": 1, "name": "fake", "version": "1.0.0", "parameters": 0, "licence": "CC0-1.0",
    "training": {"commit": "none", "steps": 0},
}
save("fake", Decoder(), ["a.code", "a.contrast", "a.size", "b.code"],
     (plane, plane, torch.tensor([4, 5]), plane), card)
save("endless", torch.jit.script(Endless()), ["a.code", "b.code"], (0 * plane, plane), card | {"name": "endless"})
(here / "fake/memory.json").write_text('{"cpu": {"base": 1000, "per_pixel": 10, "per_pixel_squared": 0.5}}\n')
torch.onnx.export(Probe(), torch.zeros(2), str(here.parent / "probe.onnx"), opset_version=16,
                  input_names=["x"], output_names=["y"])
