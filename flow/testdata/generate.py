"""Write the tiny networks for the tests of package flow: /usr/bin/python3 flow/testdata/generate.py

They compute exactly in float32, so that tests can compare for equality. `fake` computes:

  code = R + 256 G                     (the encoder's feature, 1xHxW)
  flow = (code_b - code_a, code_a / 2)
  log_scale = (R_a - G_a) / 32

`half` has two precisions that compute different results, so that a test sees which one ran. Its fp32 graphs compute
code = R + 256 G as above, its fp16 graphs code = R + 2 G, a float16 feature that is exact. The flow is float32 in both.

`greedy` has the encoder of `fake` and a decoder that allocates petabytes unless the frame is black.

`endless` has the encoder of `fake` and a decoder that does not end unless the frame is black, to test cancellation.

`single` is one graph, model.onnx, with float images in planes, BGR, -1 to 1, padded around to multiples of 8. It computes the flow of
`fake`, in planes, and no log_scale. A size that is no multiple of 8 is an error. `fixed` is one graph for uint8 images of 32x24 pixels
with the flow of `fake`, a log_scale and an output that nobody asked for.

`../probe.onnx` computes y = x + x. flow.Probe runs it to find out whether a device works.
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
        # The example frame is black, so that the export ends: the loop has no turns for it, and 1e12 or more for others.
        for _ in range(int((code_a.max() * 1e12).long())):
            x = x + code_b
        return torch.stack((x, x), dim=-1), x


class HalfEncoder(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor([1.0, 2.0, 0.0]).half(), requires_grad=False)

    def forward(self, frame):
        x = frame.half() * self.weight
        code = x[..., 0] + x[..., 1]
        return code, frame[..., 2].half()


class PlainEncoder(torch.nn.Module):
    def forward(self, frame):
        x = frame.float()
        return x[..., 0] + 256 * x[..., 1], x[..., 2]


class PlainDecoder(torch.nn.Module):
    def forward(self, code_a, code_b):
        a, b = code_a.float(), code_b.float()
        return torch.stack((b - a, a / 2), dim=-1), a / 512


class Greedy(torch.nn.Module):
    def forward(self, code_a, code_b):
        wide = torch.zeros(int((code_a.max() * 1e10).long()))
        return torch.stack((code_a, code_b), dim=-1), code_a + wide.sum()


def save(name, decoder, decoder_inputs, example, card, encoder=Encoder(), outputs=["code", "contrast", "unused", "size"], end=".onnx"):
    folder = here / name
    folder.mkdir(exist_ok=True)
    plane = {1: "height", 2: "width"}
    torch.onnx.export(
        encoder, torch.zeros(1, 4, 5, 3, dtype=torch.uint8), str(folder / f"encoder{end}"), opset_version=16,
        input_names=["frame"], output_names=outputs,
        dynamic_axes={"frame": plane} | {n: plane for n in outputs if n != "size"})
    axes = {n: plane for n in decoder_inputs if not n.endswith("size")}
    torch.onnx.export(
        decoder, example, str(folder / f"decoder{end}"), opset_version=16,
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
(here / "fake/memory.json").write_text('{"cpu": {"base": 1000, "per_pixel": 10, "per_pixel_squared": 0.5, "per_kept_pixel": 7}}\n')
save("greedy", torch.jit.script(Greedy()), ["a.code", "b.code"], (0 * plane, plane), card | {"name": "greedy"})
half = card | {"name": "half", "precisions": ["fp32", "fp16"]}
save("half", PlainDecoder(), ["a.code", "b.code"], (plane, plane), half, PlainEncoder(), outputs=["code", "unused"])
save("half", PlainDecoder(), ["a.code", "b.code"], (plane.half(), plane.half()), half, HalfEncoder(), outputs=["code", "unused"], end=".fp16.onnx")
(here / "half/memory.json").write_text('{"cpu": {"base": 1000, "per_pixel": 10, "per_pixel_squared": 0}, "cpu.fp16": {"base": 500, "per_pixel": 5, "per_pixel_squared": 0}}\n')


class Single(torch.nn.Module):
    def forward(self, image1, image2):
        a, b = (torch.round(x * 127.5 + 127.5) for x in (image1, image2))
        code_a, code_b = (x[:, 2] + 256 * x[:, 1] for x in (a, b))
        flow = torch.stack((code_b - code_a, code_a / 2), dim=1)
        blocks = flow.reshape(1, 2, torch._shape_as_tensor(flow)[2] // 8, 8, -1)  # fails unless 8 divides the height
        return blocks.reshape(flow.shape)


class Fixed(torch.nn.Module):
    def forward(self, image1, image2):
        a, b = image1.float(), image2.float()
        code_a, code_b = (x[..., 0] + 256 * x[..., 1] for x in (a, b))
        return torch.stack((code_b - code_a, code_a / 2), dim=-1), (a[..., 0] - a[..., 1]) / 32, code_b


def save_single(name, graph, example, card, outputs, axes):
    folder = here / name
    folder.mkdir(exist_ok=True)
    torch.onnx.export(graph, (example, example), str(folder / "model.onnx"), opset_version=16, input_names=["image1", "image2"],
                      output_names=outputs, dynamic_axes=axes)
    (folder / "model.json").write_text(json.dumps(card | {"format": 2, "name": name}, indent=2) + "\n")


planes = {2: "height", 3: "width"}
save_single("single", Single(), torch.zeros(1, 3, 16, 24), card | {"input": {"channels": "BGR", "range": [-1, 1], "multiple": 8, "padding": "center"}},
            ["flow"], {"image1": planes, "image2": planes, "flow": planes})
save_single("fixed", Fixed(), torch.zeros(1, 24, 32, 3, dtype=torch.uint8), card, ["flow", "log_scale", "unused"], None)
torch.onnx.export(Probe(), torch.zeros(2), str(here.parent / "probe.onnx"), opset_version=16,
                  input_names=["x"], output_names=["y"])
