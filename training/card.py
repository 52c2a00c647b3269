"""The model card: model.json for programs, README.md for people."""
from training import evaluate

TEXTURES = ("metadata-extractor-images (free use), GroceryStoreDataset (MIT), clothing-dataset-small (CC0), Debian wallpapers: gnome-backgrounds, mate-backgrounds, "
            "plasma-workspace-wallpapers, lomiri-wallpapers, ukui-wallpapers (free licences)")


def errors(table, name):
    """The means of training.evaluate's table, one row for each data set and method; this network's rows carry its name."""
    count = lambda group: sum(group in evaluate.groups_of(n) for n in table["pairs"])
    return [dict(data=group, method=name if method == "ours" else method, pairs=count(group), epe=round(m["epe"], 3), px1=round(m["px1"], 3), fl=round(m["fl"], 3))
            for group, row in table["means"].items() for method, m in row.items()]


def card(net, saved, commit, device, table):
    """model.json as a dict. saved: the checkpoint that net comes from; device: what it was trained on; table: of training.evaluate, or None."""
    state, name = saved["state"], "winwin-" + saved["config"]
    return dict(format=1, name=name, version="2", precisions=["fp32", "fp16"], parameters=sum(v.numel() for v in net.parameters()),
                training=dict(commit=commit, steps=state["step"], samples=state["samples"], minutes=round(state["seconds"] / 60, 1), device=device,
                              data="synthetic scenes rendered in windows; textures: " + TEXTURES),
                errors=errors(table, name) if table else [], licence="Apache-2.0")


def page(card, table):
    """The card as Markdown."""
    t = card["training"]
    lines = [f"# {card['name']}", "", "Written by `python3 -m training.export`; `model.json` says the same to programs.", "",
             f"- {card['parameters']:,} parameters, float32 and float16; a binocular vision transformer with global matching and refinement (training/network.py)",
             f"- trained from scratch for {t['steps']:,} steps, {t['samples']:,} samples of two windows (or one larger), {t['minutes']:g} minutes on {t['device']}; code at {t['commit']}",
             f"- data: {t['data']}", f"- licence of the weights: {card['licence']}",
             "- trained for motion of up to 200 pixels at Full HD, on synthetic scenes; `--style confidence` shows where the flow is uncertain", ""]
    if table:
        lines += ["## Errors on whole frames", "", "`synthetic` and `synthetic-full-hd`: seeded scenes painted with textures that were never trained on; networks are chosen on these. The other pairs are "
                  "real or rendered by others, and only reported. Zero flow, Farneback and DIS (medium) of OpenCV on the same pairs.", "", evaluate.markdown(table)]
    return "\n".join(lines)
