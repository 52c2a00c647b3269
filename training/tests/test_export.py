import math
import os

import onnx
import pytest
import torch
from onnx import TensorProto

from test_network import make
from training import card, checkpoint, export, export_forms, flowfiles, half, layers, network, operators, parts

SHIPPED = os.path.join(os.path.dirname(__file__), "..", "..", "models", "winwin-tiny")


def random_parts(net):
    """The network with random weights where it starts with zeros, so that every part counts."""
    torch.manual_seed(5)
    for parameter in net.parameters():
        if parameter.dim() > 1 and not parameter.any():
            torch.nn.init.normal_(parameter, std=0.1)
    return net.eval()


def shipped(tmp_path):
    """The network that ships, from its checkpoint."""
    path = str(tmp_path / "checkpoint.pt")
    parts.join(SHIPPED, path)
    return checkpoint.load_average(path)[0]


@pytest.mark.parametrize("height, width", [(64, 96), (80, 48)])  # the second: an odd number of tokens each way
@pytest.mark.parametrize("weights", ["random", "shipped"])
def test_export_forms_are_the_eager_operators(height, width, weights, tmp_path):
    net = random_parts(make()) if weights == "random" else shipped(tmp_path)
    xy = network.positions(torch.zeros(1, 1, 2, dtype=torch.int64), height // 16, width // 16)
    frames = torch.rand(2, 3, height, width) * 255

    def flow():
        one, two = (net.encoder(f[None], xy, 1) for f in frames)
        return net.decoder(one, two, xy, xy, torch.zeros(1, 2, 1, 1), (height // 16, width // 16))["flow"]

    with torch.no_grad():
        eager = flow()
        with export_forms.installed():
            exported = flow()
    assert eager.std() > 0.1 and torch.allclose(eager, exported, atol=1e-3)


def test_graphs_have_no_sequences(tmp_path):
    """The CUDA provider lacks them: maps would be copied to the CPU and back."""
    export.graphs(random_parts(make()), str(tmp_path))
    for name in ("encoder.onnx", "decoder.onnx"):
        nodes = onnx.load(str(tmp_path / name)).graph.node
        assert nodes and not {n.op_type for n in nodes if "Sequence" in n.op_type}, name


def test_each_export_form_is_its_eager_operator():
    torch.manual_seed(2)
    maps, tokens = torch.randn(1, 4, 9, 13), torch.randn(1, 10, 8)
    cases = dict(attention=(tokens, tokens, tokens, 2), token_count_scale=(tokens,), local_correlation=(maps, maps.flip(1), 3), channel_softmax=(maps * 5,), channels_last=(maps,), double=(maps,), local_mean=(maps, 5), clamp=(maps, -0.5, 0.5),
                 neighbour_similarity=(maps, torch.randn(1, 4, 9, 17), (0, 1, 4), 3), neighbour_mix=(torch.randn(1, 2, 9, 13), torch.randn(1, 4, 11, 13), ((2, 0), (0, 0))),
                 convolve_parts=(layers.PartsConv((4, 1), 6), (maps, maps[:, :1])), convolve_squares=(layers.HalvingConv(8), torch.rand(1, 3, 10, 14) * 100))
    assert cases.keys() | {"pixel_grid", "size", "sample"} == export_forms.FORMS.keys()
    for name, inputs in cases.items():
        assert torch.allclose(torch.as_tensor(getattr(operators, name)(*inputs)), export_forms.FORMS[name](*inputs), atol=1e-5), name
    flow = torch.randn(1, 2, 9, 13) * 4
    eager = operators.warp(maps, flow)
    with export_forms.installed():
        assert torch.allclose(operators.warp(maps, flow), eager, atol=1e-5)
    flow[0, :, 2, 3], flow[0, 0, 4, 4], flow[0, 1, 5, 5] = float("nan"), float("inf"), -float("inf")
    sampled, inside = operators.sample(maps[:, :1], flow)
    assert sampled.isfinite().all() and not (inside[0, 0, 2, 3] | inside[0, 0, 4, 4] | inside[0, 0, 5, 5])
    with export_forms.installed():
        found, found_inside = operators.sample(maps[:, :1], flow)
    assert torch.allclose(found, sampled, atol=1e-5) and torch.equal(found_inside, inside) and 0 < inside.float().mean() < 1


def test_graphs_are_written_with_fused_attention_and_the_reference_beside_them(tmp_path):
    net = make().eval()
    export.graphs(net, str(tmp_path))
    export.parity(net, str(tmp_path / "parity"))
    for name, operators in (("encoder.onnx", [b"MultiHeadAttention"]), ("decoder.onnx", [b"MultiHeadAttention", b"GridSample", b"a.tokens", b"b.keys", b"log_scale"])):
        data = (tmp_path / name).read_bytes()
        assert all(o in data for o in operators), name
    flow = flowfiles.read_flo(str(tmp_path / "parity" / "flow.flo"))
    assert flow.shape == (100, 171, 2) and torch.isfinite(torch.from_numpy(flow)).all()


def test_half_precision_keeps_the_first_layers_positions_matching_and_flow_in_float32(tmp_path):
    export.graphs(make().eval(), str(tmp_path))
    at = lambda name: str(tmp_path / name)
    half.pair(at("encoder.onnx"), at("decoder.onnx"), at("encoder.fp16.onnx"), at("decoder.fp16.onnx"))
    encoder, decoder = onnx.load(at("encoder.fp16.onnx")), onnx.load(at("decoder.fp16.onnx"))
    kind = lambda values: {v.name: v.type.tensor_type.elem_type for v in values}
    features = kind(encoder.graph.output)
    assert features["keys"] == TensorProto.FLOAT and all(features[n] == TensorProto.FLOAT16 for n in ("tokens", "p8", "p4", "c8", "c4", "c2"))
    assert all(features[name[2:]] == t for name, t in kind(decoder.graph.input).items())
    assert kind(decoder.graph.output) == {"flow": TensorProto.FLOAT, "log_scale": TensorProto.FLOAT}
    for model in (encoder, decoder):
        weights = {i.name: i.data_type for i in model.graph.initializer}
        made = {name: node for node in model.graph.node for name in node.output}
        for n in model.graph.node:
            if n.op_type == "Conv" and n.input[1] in weights and len(n.input) == 3:
                assert weights[n.input[1]] == (TensorProto.FLOAT if half.stays_float32(n) else TensorProto.FLOAT16), n.name
        for node in model.graph.node:
            if node.op_type in ("Exp", "GridSample", "CumSum", "Log"):  # what pixels and probabilities are made of
                assert not any(made[name].op_type == "Cast" and made[name].attribute[0].i == TensorProto.FLOAT16 for name in node.input if name in made), node.name
        named = {name for n in model.graph.node if half.stays_float32(n) for name in n.input}
        count = lambda kind: sum(math.prod(i.dims) for i in model.graph.initializer if i.data_type == kind and i.name not in named)
        assert count(TensorProto.FLOAT) < 0.1 * count(TensorProto.FLOAT16)


def test_the_card_names_each_method_once_for_each_data_set():
    m = dict(epe=1.0, px1=2.0, fl=3.0)
    table = dict(pairs={"synthetic/00": {}, "kitti12/000027": {}, "sintel/a": {}}, means={"synthetic": {"ours": m, "zero": m}, "real": {"ours": m, "zero": m}, "sintel": {"ours": m, "zero": m}})
    rows = card.errors(table, "winwin-tiny")
    assert [(r["data"], r["method"], r["pairs"]) for r in rows] == [
        ("synthetic", "winwin-tiny", 1), ("synthetic", "zero", 1), ("real", "winwin-tiny", 2), ("real", "zero", 2), ("sintel", "winwin-tiny", 1), ("sintel", "zero", 1)]
