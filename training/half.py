"""Convert an exported graph to half precision: float16 where a GPU spends its time, float32 where pixels would be lost.

Convolutions, linear layers, layer norms, the transformer's attention and what lies between them run in float16. Positions, matching, flow,
the soft arg max and the weights of propagation and upsampling stay float32: at 200 px float16 has steps of an eighth of a pixel. The layers
in FLOAT32_LAYERS stay float32 too: the first layers of the encoder, because every later layer inherits their rounding, and small products
that make displacements. A value that changes precision is cast once. Inputs and outputs keep their names; features that the encoder
computes in float16 leave it in float16.
"""
import re

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

# Operators that run in float16 if their data arrives in float16, and which of their inputs are data (None: all of them).
FOLLOWS_INPUT = {"Identity": [0], "Relu": [0], "Erf": [0], "Add": None, "Sub": None, "Mul": None, "Div": None, "Concat": None, "Max": None, "AveragePool": [0],
                 "Transpose": [0], "Reshape": [0], "Slice": [0], "Gather": [0], "Squeeze": [0], "Unsqueeze": [0], "Expand": [0], "Pad": [0, 2], "Resize": [0],
                 "DepthToSpace": [0], "LayerNormalization": None}
FLOAT32_LAYERS = ("/down2/", "/down4/", "/down8/", "/prior/", "/narrow_query/", "/narrow_key/", "/propagation/", "/residual/")  # parts of node names
PARTS_CONV = re.compile(r"/(mix|embed)(_\d+)?/")  # node names of layers.PartsConv, whose weights the export has cut into parts
ANY_TYPE = {"Shape", "Size", "Cast"}


def stays_float32(node):
    """Whether the node belongs to a layer of FLOAT32_LAYERS."""
    return any(part in node.name for part in FLOAT32_LAYERS)


class Converter:
    """Rewrites one graph in place. float16_inputs: names of the graph's inputs that arrive in float16."""

    def __init__(self, graph, float16_inputs):
        self.graph = graph
        self.nodes = []      # of the converted graph, in order
        self.casts = {}      # name of a value -> name of the same value in the other precision
        self.constants = self.find_constants()
        self.float16 = set(float16_inputs)  # names of values that are float16 in the converted graph
        for i in graph.input:
            if i.name in self.float16:
                i.type.tensor_type.elem_type = TensorProto.FLOAT16

    def find_constants(self):
        """Tensors of initializers, Constant nodes, and Identity nodes of either (equal weights are stored once): {name: tensor}."""
        constants = {i.name: i for i in self.graph.initializer}
        constants.update((n.output[0], n.attribute[0].t) for n in self.graph.node if n.op_type == "Constant" and n.attribute[0].name == "value")
        constants.update((n.output[0], constants[n.input[0]]) for n in self.graph.node if n.op_type == "Identity" and n.input[0] in constants)
        return constants

    def is_float_constant(self, name):
        return name in self.constants and self.constants[name].data_type == TensorProto.FLOAT

    def as_float16(self, name):
        """The name of this value in float16."""
        if not name or name in self.float16:
            return name
        if name not in self.casts:
            self.casts[name] = name + ".half"
            if name in self.constants:
                value = numpy_helper.to_array(self.constants[name]).astype(np.float16)
                self.graph.initializer.append(numpy_helper.from_array(value, self.casts[name]))
            else:
                self.nodes.append(helper.make_node("Cast", [name], [self.casts[name]], name=self.casts[name], to=TensorProto.FLOAT16))
        return self.casts[name]

    def as_float32(self, name):
        """The name of this value in float32; the value itself if it is not float16."""
        if name not in self.float16:
            return name
        if name not in self.casts:
            self.casts[name] = name + ".float"
            self.nodes.append(helper.make_node("Cast", [name], [self.casts[name]], name=self.casts[name], to=TensorProto.FLOAT))
        return self.casts[name]

    def float16_inputs(self, node):
        """Indices of the inputs that have to be float16 for this node to run in float16; None where it has to stay float32."""
        every = list(range(len(node.input)))
        if stays_float32(node):
            return None
        if node.op_type == "Conv":  # a convolution without parameters sums up a soft arg max
            return every if node.input[1].startswith(("encoder.", "decoder.")) or PARTS_CONV.search(node.name) else None
        if node.op_type == "MatMul":
            return every
        if node.op_type == "MultiHeadAttention":  # matching and token propagation have one head, and positions as values
            return every if next(a.i for a in node.attribute if a.name == "num_heads") > 1 else None
        if node.op_type not in FOLLOWS_INPUT:
            return None
        data = [i for i in FOLLOWS_INPUT[node.op_type] or every if i < len(node.input) and node.input[i]]
        follows = any(node.input[i] in self.float16 for i in data)
        fits = all(node.input[i] in self.float16 or self.is_float_constant(node.input[i]) for i in data)
        return data if follows and fits else None

    def run(self, keep_float32):
        """Convert the graph; outputs named in keep_float32 leave it in float32. Returns the names of the outputs that leave it in float16."""
        for node in list(self.graph.node):
            data = self.float16_inputs(node)
            if data is not None:
                for i in data:
                    node.input[i] = self.as_float16(node.input[i])
                self.float16.update(node.output)
            elif node.op_type not in ANY_TYPE:
                for i, name in enumerate(node.input):
                    node.input[i] = self.as_float32(name)
            self.nodes.append(node)
        float16_outputs = []
        for out in self.graph.output:
            if out.name not in self.float16:
                continue
            if out.name in keep_float32:
                self.rename(out.name, out.name + ".half")
                self.nodes.append(helper.make_node("Cast", [out.name + ".half"], [out.name], name=out.name + ".float", to=TensorProto.FLOAT))
            else:
                out.type.tensor_type.elem_type = TensorProto.FLOAT16
                float16_outputs.append(out.name)
        del self.graph.value_info[:]
        self.store_used_nodes()
        return float16_outputs

    def rename(self, old, new):
        """Rename a value wherever it is used."""
        for node in self.nodes:
            for names in (node.input, node.output):
                for i, name in enumerate(names):
                    if name == old:
                        names[i] = new

    def store_used_nodes(self):
        """Put the converted nodes into the graph, without constants and initializers that nothing uses any more."""
        used = {name for node in self.nodes for name in node.input} | {o.name for o in self.graph.output}
        nodes = [n for n in self.nodes if n.op_type not in ("Constant", "Identity") or n.output[0] in used]
        del self.graph.node[:]
        self.graph.node.extend(nodes)
        used = {name for node in nodes for name in node.input}
        initializers = [i for i in self.graph.initializer if i.name in used]
        del self.graph.initializer[:]
        self.graph.initializer.extend(initializers)


def convert(path, to, float16_inputs=(), keep_float32=()):
    """Write the graph at `path` in half precision to `to`. Returns the names of its outputs that are float16."""
    model = onnx.load(path)
    float16_outputs = Converter(model.graph, float16_inputs).run(set(keep_float32))
    onnx.save(model, to)
    return float16_outputs


def pair(encoder, decoder, encoder_to, decoder_to):
    """Convert both graphs of a network: the decoder takes in float16 what the encoder leaves in float16."""
    float16_features = set(convert(encoder, encoder_to))
    inputs = [i.name for i in onnx.load(decoder).graph.input]
    convert(decoder, decoder_to, [i for i in inputs if i.split(".", 1)[1] in float16_features], ("flow", "log_scale"))
