import torch

from test_network import make
from training import export, flowfiles


def test_graphs_are_written_with_fused_attention_and_the_reference_beside_them(tmp_path):
    net = make().eval()
    export.graphs(net, str(tmp_path))
    export.parity(net, str(tmp_path / "parity"))
    for name, operators in (("encoder.onnx", [b"MultiHeadAttention"]), ("decoder.onnx", [b"MultiHeadAttention", b"GridSample", b"a.tokens", b"b.keys", b"log_scale"])):
        data = (tmp_path / name).read_bytes()
        assert all(o in data for o in operators), name
    flow = flowfiles.read_flo(str(tmp_path / "parity" / "flow.flo"))
    assert flow.shape == (100, 171, 2) and torch.isfinite(torch.from_numpy(flow)).all()


def test_the_card_names_each_method_once_for_each_data_set():
    m = dict(epe=1.0, px1=2.0, fl=3.0)
    table = dict(pairs={"synthetic/00": {}, "kitti12/000027": {}, "sintel/a": {}}, means={"synthetic": {"ours": m, "zero": m}, "real": {"ours": m, "zero": m}, "sintel": {"ours": m, "zero": m}})
    rows = export.errors(table, "winwin-tiny")
    assert [(r["data"], r["method"], r["pairs"]) for r in rows] == [
        ("synthetic", "winwin-tiny", 1), ("synthetic", "zero", 1), ("real", "winwin-tiny", 2), ("real", "zero", 2), ("sintel", "winwin-tiny", 1), ("sintel", "zero", 1)]
