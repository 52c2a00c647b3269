"""Tables of the documentation that a benchmark has measured."""
import json
import os
import re

BUILT_IN = os.path.join(os.path.dirname(__file__), "..", "models", "winwin-tiny", "model.json")


def network():
    """The network that wwflow uses, in words."""
    folder = os.environ.get("WWFLOW_MODEL")
    with open(os.path.join(folder, "model.json") if folder else BUILT_IN) as f:
        card = json.load(f)
    steps = card.get("training", {}).get("steps")
    return f"{card['name']} {card['version']}" + (f" after {steps:,} training steps" if steps else "")


def replace_table(path, table):
    """Replace the Markdown table of a document that has the same heading as table, and the name of the network it was measured with."""
    with open(path) as f:
        text = f.read()
    heading = table.splitlines()[0]
    old = [t for t in re.findall(r"(?:^\|.*\|\n)+", text, re.M) if t.splitlines()[0] == heading]
    if len(old) != 1:
        raise SystemExit(f"{path} has {len(old)} tables with the heading {heading}, not one")
    sentence = re.compile(r"^The tables were measured with .*$", re.M)
    if len(sentence.findall(text)) != 1:
        raise SystemExit(f'{path} does not have one sentence "The tables were measured with ..."')
    text = text.replace(old[0], table.rstrip("\n") + "\n")
    text = sentence.sub(f"The tables were measured with {network()}.", text)
    with open(path, "w") as f:
        f.write(text)
