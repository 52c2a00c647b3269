"""Half precision for an exported graph: float16 where a GPU's time goes, float32 where pixels would be lost.

Convolutions, linear layers, layer norms and the transformer's attention run in float16, and whatever lies between them. Positions, matching,
flow, the soft arg max and upsampling's weights stay float32: float16 steps by an eighth of a pixel at 200 pixels. So do the layers in FLOAT: the
encoder's first ones, whose rounding all others inherit (half of what float16 cost on a pair of 22 pixels' error came from them), and the small
products that make displacements. A value that goes from one to the other is cast once. Inputs and outputs keep their names; features that the
encoder makes in float16 leave it so.
"""
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

# Of each operator that may follow its inputs into float16: which inputs are data (None: all).
FOLLOW = {"Identity": [0], "Relu": [0], "Erf": [0], "Add": None, "Sub": None, "Mul": None, "Div": None, "Concat": None, "Max": None, "Transpose": [0], "Reshape": [0], "Slice": [0],
          "Gather": [0], "Squeeze": [0], "Unsqueeze": [0], "Expand": [0], "Pad": [0, 2], "Resize": [0], "DepthToSpace": [0], "LayerNormalization": None}
FLOAT = ("/down2/", "/down4/", "/down8/", "/prior", "/alike", "/residual")  # parts of the names of layers that stay float32
ANY_TYPE = {"Shape", "Size", "Cast"}


def stays_float(node):
    """Whether the node belongs to a layer that is kept in float32 by name."""
    return any(part in node.name for part in FLOAT)


class Converter:
    """One graph on its way into float16. `half_inputs` are the inputs that arrive in float16."""

    def __init__(self, graph, half_inputs):
        self.graph, self.nodes, self.made = graph, [], {}
        self.constants = {i.name: i for i in graph.initializer}
        self.constants.update((n.output[0], n.attribute[0].t) for n in graph.node if n.op_type == "Constant" and n.attribute[0].name == "value")
        self.constants.update((n.output[0], self.constants[n.input[0]]) for n in graph.node if n.op_type == "Identity" and n.input[0] in self.constants)  # equal weights are stored once
        self.half = set(half_inputs)
        for i in graph.input:
            if i.name in self.half:
                i.type.tensor_type.elem_type = TensorProto.FLOAT16

    def is_float_constant(self, name):
        return name in self.constants and self.constants[name].data_type == TensorProto.FLOAT

    def as_half(self, name):
        """The name of this value in float16."""
        if not name or name in self.half:
            return name
        if name not in self.made:
            self.made[name] = name + ".half"
            if name in self.constants:
                value = numpy_helper.to_array(self.constants[name]).astype(np.float16)
                self.graph.initializer.append(numpy_helper.from_array(value, self.made[name]))
            else:
                self.nodes.append(helper.make_node("Cast", [name], [self.made[name]], name=self.made[name], to=TensorProto.FLOAT16))
        return self.made[name]

    def as_float(self, name):
        """The name of this value in float32 (or in whatever it is, if it was never halved)."""
        if name not in self.half:
            return name
        if name not in self.made:
            self.made[name] = name + ".float"
            self.nodes.append(helper.make_node("Cast", [name], [self.made[name]], name=self.made[name], to=TensorProto.FLOAT))
        return self.made[name]

    def data(self, node):
        """Which inputs must be float16 for this node to run in it; None where it must not."""
        every = list(range(len(node.input)))
        if stays_float(node):
            return None
        if node.op_type == "Conv":  # one whose weights are no parameters sums up a soft arg max
            return every if node.input[1].startswith(("encoder.", "decoder.")) else None
        if node.op_type == "MatMul":
            return every
        if node.op_type == "MultiHeadAttention":  # matching and propagation have one head, and positions for values
            return every if next(a.i for a in node.attribute if a.name == "num_heads") > 1 else None
        if node.op_type not in FOLLOW:
            return None
        chosen = [i for i in FOLLOW[node.op_type] or every if i < len(node.input) and node.input[i]]
        follows = any(node.input[i] in self.half for i in chosen)
        return chosen if follows and all(node.input[i] in self.half or self.is_float_constant(node.input[i]) for i in chosen) else None

    def run(self, keep_float):
        """Convert; the outputs named in keep_float leave in float32. Returns the names of the outputs that leave in float16."""
        for node in list(self.graph.node):
            chosen = self.data(node)
            if chosen is not None:
                for i in chosen:
                    node.input[i] = self.as_half(node.input[i])
                self.half.update(node.output)
            elif node.op_type not in ANY_TYPE:
                for i, name in enumerate(node.input):
                    node.input[i] = self.as_float(name)
            self.nodes.append(node)
        left = []
        for out in self.graph.output:
            if out.name not in self.half:
                continue
            if out.name in keep_float:
                self.rename(out.name, out.name + ".half")
                self.nodes.append(helper.make_node("Cast", [out.name + ".half"], [out.name], name=out.name + ".float", to=TensorProto.FLOAT))
            else:
                out.type.tensor_type.elem_type = TensorProto.FLOAT16
                left.append(out.name)
        del self.graph.node[:]
        self.graph.node.extend(self.nodes)
        del self.graph.value_info[:]
        self.drop_unused()
        return left

    def rename(self, old, new):
        for node in self.nodes:
            for names in (node.input, node.output):
                for i, name in enumerate(names):
                    if name == old:
                        names[i] = new

    def drop_unused(self):
        used = {name for node in self.graph.node for name in node.input} | {o.name for o in self.graph.output}
        nodes = [n for n in self.graph.node if n.op_type not in ("Constant", "Identity") or n.output[0] in used]
        del self.graph.node[:]
        self.graph.node.extend(nodes)
        used = {name for node in nodes for name in node.input}
        keep = [i for i in self.graph.initializer if i.name in used]
        del self.graph.initializer[:]
        self.graph.initializer.extend(keep)


def convert(path, to, half_inputs=(), keep_float=()):
    """Write the graph at `path` in half precision. Returns the names of its outputs that are float16."""
    model = onnx.load(path)
    left = Converter(model.graph, half_inputs).run(set(keep_float))
    onnx.save(model, to)
    return left


def pair(encoder, decoder, encoder_to, decoder_to):
    """Both graphs of a network: the features that the encoder leaves in float16 are what the decoder takes in."""
    left = set(convert(encoder, encoder_to))
    inputs = [i.name for i in onnx.load(decoder).graph.input]
    convert(decoder, decoder_to, [i for i in inputs if i.split(".", 1)[1] in left], ("flow", "log_scale"))
