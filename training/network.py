"""The network: a binocular vision transformer that estimates optical flow, on windows or on whole frames.

    frame 1 -> stem -> encoder -> tokens --+--> decoder -> matching -> propagation -> refinement 1/16 -> 1/8 -> 1/4 -> 1/2 -> 1 -> flow
    frame 2 -> stem -> encoder -> tokens --+    (cross-attention)

After Win-Win (Leroy et al., ICLR 2024): Siamese encoder, binocular decoder, rotary positions (RoPE), training on a few windows and
one pass over the whole frame. Two priors are added: global matching (the flow is where a token's match is; GMFlow, Xu et al.,
CVPR 2022) and refinement by warping and local correlation (PWC-Net, RAFT). Nothing depends on the extent of the input.

Shapes: B samples of n windows; W = B*n windows in a row; a window has h x w pixels and t = h*w/256 tokens; T = n*t tokens of one
sample. Flow is (x, y) = (right, down). Convolutions run channels-last.
"""
import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from training import layers, matching, operators, refinement

PATCH = 16  # pixels a token
TOKEN_PARTS = ("encoder.blocks", "encoder.norm", "encoder.match_", "decoder.blocks", "decoder.norm", "decoder.prior", "decoder.matching", "decoder.found",
               "decoder.review", "decoder.propagation", "decoder.residual")  # what samples for tokens only can train


@dataclass
class Config:
    """A network's sizes; the defaults are those of winwin-tiny. training/configs holds the networks that are trained."""
    name: str = "tiny"
    stem: tuple = (32, 64, 96)        # channels at strides 2, 4, 8
    blocks: tuple = (1, 1)            # residual blocks at strides 4, 8
    width: int = 128                  # of a token
    heads: int = 4
    encoder: int = 2                  # transformer blocks
    decoder: int = 2
    match: int = 64                   # channels of a matching head, for each of three depths
    compared: tuple = (92, 28)        # channels that matching and token propagation compare tokens in
    correlation: tuple = (64, 32, 8)  # channels that are compared at strides 8, 4 (correlation) and 2 (warping)
    hidden: tuple = (96, 96, 64, 16)  # channels of the refinement's state at strides 16, 8, 4, 2
    steps: tuple = (1, 3, 1)          # correlation steps at strides 16, 8, 4
    radius: tuple = (4, 4, 2)         # of the local correlation at strides 16, 8, 4
    inside: tuple = ((48, 64, 32), (64, 96, 64), (48, 64, 32))  # channels inside a correlation step at strides 16, 8, 4: evidence, update, head
    later: tuple = (2, (48, 64, 32))  # a stride's rounds after the first: radius, channels inside; () if they are like the first
    propagation: tuple = ((1, 2, 4, 8), (1, 2, 4))  # distances of the neighbours at strides 8, 4, in cells; () for none
    pool: tuple = (4, 4)              # keys and values of self-attention and cross-attention are made of means of so many tokens each way
    review: int = 2                   # transformer blocks of frame 1's tokens, which see what matching found
    positions: str = "rope"           # or "absolute" (sine-cosine), for the comparison

    @property
    def head_width(self):
        """Channels of one head, as rotary positions need them; None with absolute positions."""
        return self.width // self.heads if self.positions == "rope" else None


class Encoder(nn.Module):
    """One frame -> its features: everything about it that a pair needs, so that a video's frame is encoded once."""
    def __init__(self, c):
        super().__init__()
        s2, s4, s8 = c.stem
        self.config = c
        self.down2 = nn.Sequential(layers.HalvingConv(s2), nn.ReLU())
        self.down4 = nn.Sequential(nn.Conv2d(s2, s4, 3, 2, 1), *(layers.Residual(s4) for _ in range(c.blocks[0])))
        self.down8 = nn.Sequential(layers.ChannelNorm(s4), nn.Conv2d(s4, s8, 3, 2, 1), *(layers.Residual(s8) for _ in range(c.blocks[1])))
        self.down16 = nn.Sequential(layers.ChannelNorm(s8), nn.Conv2d(s8, c.width, 3, 2, 1))
        self.blocks = nn.ModuleList(layers.Block(c.width, c.heads) for _ in range(c.encoder))
        self.norm = layers.Norm(c.width)
        self.match_stem = nn.Sequential(layers.Norm(c.width), nn.Linear(c.width, c.match))
        self.match_encoder = nn.Linear(c.width, c.match)
        self.match_key = nn.Linear(c.width, c.match)  # what the decoder's queries look for
        self.lateral8, self.top8 = nn.Conv2d(s8, s8, 1), nn.Conv2d(c.width, s8, 1)
        self.smooth8 = layers.Residual(s8)
        self.lateral4, self.top4 = nn.Conv2d(s4, s4, 1), nn.Conv2d(s8, s4, 1)
        self.smooth4 = layers.Residual(s4)
        self.correlate8, self.correlate4 = nn.Conv2d(s8, c.correlation[0], 1), nn.Conv2d(s4, c.correlation[1], 1)
        self.compare2 = nn.Conv2d(s2, c.correlation[2], 1)
        if c.positions == "absolute":
            self.absolute = nn.Linear(c.width, c.width)

    def forward(self, frame, xy, samples, tokens_only=False):
        """frame [W, 3, h, w] 0-255, sides multiples of 16; xy [samples, T, 2] token positions. tokens_only: no maps, and no gradient of the stem.

        Returns a dict: tokens [samples, T, width]; keys [samples, T, 3*match], unit vectors for each depth; maps p8, p4 (context) and
        c8, c4, c2 and c1 (to compare with the other frame) at the strides that their names give.
        """
        with torch.set_grad_enabled(torch.is_grad_enabled() and not tokens_only):
            f2, f4, f8, f16 = self.stem(frame)
        stem = layers.to_tokens(f16, samples)
        tokens = self.attend(stem, xy, f16.shape[2:])
        keys = torch.cat([layers.unit(self.match_stem(stem)), layers.unit(self.match_encoder(tokens)), layers.unit(self.match_key(tokens))], -1)
        if tokens_only:
            return dict(tokens=tokens, keys=keys)
        p8, p4 = self.context(f4, f8, layers.to_map(tokens, *f16.shape[2:]))
        return dict(tokens=tokens, keys=keys, p8=p8, p4=p4, c8=self.correlate8(p8), c4=self.correlate4(p4), c2=self.compare2(f2), c1=refinement.grey(frame))

    def stem(self, frame):
        """The convolutions before the transformer: maps at strides 2, 4, 8 and 16."""
        f2 = self.down2(frame - 127.5)
        f4 = self.down4(f2)
        f8 = self.down8(f4)
        return f2, f4, f8, self.down16(f8)

    def attend(self, tokens, xy, grid):
        """The transformer: tokens [samples, T, width] at xy, in windows of grid (rows, columns) -> [samples, T, width]."""
        if self.config.positions == "absolute":
            tokens = tokens + self.absolute(self.sine_cosine(xy))
        where = layers.Positions(xy, *grid, self.config.head_width, self.config.pool[0])
        for block in self.blocks:
            tokens = block(tokens, where)
        return self.norm(tokens)

    def context(self, f4, f8, tokens):
        """The way back down: maps p8 and p4 from those of the stem and the tokens' map, so that refinement sees what the transformer understood."""
        p8 = self.smooth8(self.lateral8(f8) + layers.upsample(self.top8(tokens)))
        return p8, self.smooth4(self.lateral4(f4) + layers.upsample(self.top4(p8)))

    def sine_cosine(self, xy):
        """Absolute positions xy [B, T, 2] as [B, T, width]."""
        quarter = self.config.width // 4
        rate = 100.0 ** (-torch.arange(quarter, device=xy.device) / quarter)
        angle = xy[..., None, :].float() * rate[:, None]
        return torch.cat([angle.sin(), angle.cos()], -2).flatten(2)


class Decoder(nn.Module):
    """Features of two frames -> flow."""
    def __init__(self, c):
        super().__init__()
        self.config = c
        _, s4, s8 = c.stem
        h16, h8, h4, h2 = c.hidden
        self.blocks = nn.ModuleList(layers.Block(c.width, c.heads, cross=True) for _ in range(c.decoder))
        self.norm = layers.Norm(c.width)
        self.prior = matching.MatchingPrior(c.width)
        self.matching = matching.Matching(c.width, c.match, c.compared[0])
        self.found = layers.zero_init(nn.Linear(6, c.width))
        self.review = nn.ModuleList(layers.Block(c.width, c.heads, silent=True) for _ in range(c.review))
        self.propagation = matching.TokenPropagation(c.width, c.match, c.compared[1])
        self.residual = layers.zero_init(nn.Linear(c.width, 2))
        self.start16, self.uncertainty16 = nn.Conv2d(c.width, h16, 1), nn.Conv2d(3, h16, 1)
        self.start8, self.token8, self.state8 = nn.Conv2d(s8, h8, 1), nn.Conv2d(c.width, h8, 1), nn.Conv2d(h16, h8, 1)
        self.start4, self.state4 = nn.Conv2d(s4, h4, 1), nn.Conv2d(h8, h4, 1)
        self.step16, self.step8, self.step4 = (refinement.CorrelationStep(h, r, inside, s)
                                               for h, r, inside, s in zip(c.hidden, c.radius, c.inside, (math.log(10), 1.0, 1.0)))
        self.later16, self.later8, self.later4 = (refinement.CorrelationStep(h, *c.later) if c.later and rounds > 1 else None
                                                  for h, rounds in zip(c.hidden, c.steps))
        self.propagate8, self.propagate4 = (refinement.Propagation(h, f, distances, channels) if distances else None
                                            for h, f, distances, channels in zip((h8, h4), (s8, s4), c.propagation, (32, 16)))
        self.step2 = refinement.WarpStep(h4, c.correlation[2], h2)
        self.upsampling = refinement.Upsampling(h2)
        self.step1 = refinement.PixelStep(h2)
        self.log_scale = nn.Sequential(nn.Conv2d(h2, 24, 1), nn.ReLU(), nn.Conv2d(24, 1, 1))

    def forward(self, one, two, xy1, xy2, offset, grid, memory=None):
        """one, two: Encoder's features. xy1, xy2 [B, T, 2]: token positions of the windows. offset [W, 2, 1, 1]: where window 2 lies relative
        to window 1, in pixels. grid: (rows, columns) of a window's tokens. memory: frame 2's tokens and keys where they are more than the
        windows' own (distractors).

        Returns a dict: flow [W, 2, h, w] and log_scale [W, 1, h, w] in pixels, and what the losses need.
        """
        middle = xy1.float().mean(1, keepdim=True)  # only differences count, and squares of small numbers are more exact
        xy1, xy2 = xy1.float() - middle, xy2.float() - middle
        tokens2, keys2 = (two["tokens"], two["keys"]) if memory is None else memory
        x = self.attend(one["tokens"], tokens2, xy1, xy2, grid)
        match = self.match(x, one["keys"], keys2, xy1, xy2, grid)
        steps = self.refine(match, one, two, offset, grid, memory is not None) if "p8" in one else {}
        match["expected"] = match["expected"] + middle
        return dict(match, **steps)

    def attend(self, tokens, other, xy1, xy2, grid):
        """The transformer: tokens [B, T, width] of frame 1, which look at frame 2's -> [B, T, width]."""
        c = self.config
        here, there = layers.Positions(xy1, *grid, c.head_width, c.pool[0]), layers.Positions(xy2, *grid, c.head_width, c.pool[1])
        for block in self.blocks:
            tokens = block(tokens, here, other, there)
        return self.norm(tokens)

    def match(self, x, keys1, keys2, xy1, xy2, grid):
        """Displacement of each token, in tokens. Returns a dict: queries; compared (queries and keys in few channels); expected position and
        distance_weight (what matching looked near); matched and variance (what it found); confidence; tokens, which have seen that; spread
        (propagated); coarse (the result): each [B, T, ...]."""
        queries = self.matching.queries(x, keys1)
        with layers.full_precision(x.device):
            expectation = self.prior(x.float())
            expected = xy1 + expectation.displacement
            compared = self.matching.narrowed(queries, keys2.float())
            position, variance, trip = self.matching(*compared, expected, expectation.distance_weight, xy1, xy2, grid)
            matched = position - xy1
        tokens = self.look_again(x, matched, variance, trip, expectation, xy1, grid)
        with layers.full_precision(x.device):
            spread = self.propagation(tokens.float(), matched, variance, trip, expectation, xy1)
        coarse = spread + self.residual(tokens).float()
        return dict(queries=queries, compared=compared, expected=expected, distance_weight=expectation.distance_weight, matched=matched, variance=variance,
                    confidence=expectation.confidence, tokens=tokens, spread=spread, coarse=coarse)

    def look_again(self, x, matched, variance, trip, expectation, xy, grid):
        """The tokens x [B, T, width] after they have seen each other's matches, relative to what was expected and to their mean."""
        seen = torch.cat([matched - matched.mean(1, keepdim=True), matched - expectation.displacement, torch.log(variance + 0.1), torch.log1p(trip)], -1) * 0.25
        where = layers.Positions(xy, *grid, self.config.head_width, self.config.pool[0])
        y = x + self.found(seen)
        for block in self.review:
            y = block(y, where)
        return y

    def refine(self, match, one, two, offset, grid, distracted=False):
        """From the tokens' displacements to a flow for every pixel. Returns a dict: flow, log_scale, and flows16, flows8, flows4, flows2: what each
        step gave, in pixels of its stride."""
        as_map = lambda tokens: layers.to_map(tokens, *grid)
        tokens = as_map(match["tokens"])
        # stride 16 compares the matching's own queries and keys, a tenth of their logits; distractors stand behind the windows' own tokens
        queries, keys = match["compared"]
        a16, b16 = as_map(queries), as_map(keys[:, :queries.shape[1]] if distracted else keys)
        a16 = a16 * (0.1 * math.sqrt(self.config.compared[0]))
        hidden, flow = self.start16(tokens) + self.uncertainty16(as_map(self.uncertainty(match))), as_map(match["coarse"]) - offset / 16
        hidden, flow, flows16 = self.correlate(16, hidden, a16, b16, flow)

        hidden = self.start8(one["p8"]) + layers.upsample(self.token8(tokens) + self.state8(hidden))
        hidden, flow, flows8 = self.correlate(8, hidden, one["c8"], two["c8"], layers.upsample(flow) * 2)
        if self.propagate8 is not None:
            flow = self.propagate8(hidden, one["p8"], flow)
            flows8.append(flow)

        hidden = self.start4(one["p4"]) + layers.upsample(self.state4(hidden))
        hidden, flow, flows4 = self.correlate(4, hidden, one["c4"], two["c4"], layers.upsample(flow) * 2)
        if self.propagate4 is not None:
            flow = self.propagate4(hidden, one["p4"], flow)
            flows4.append(flow)

        hidden, flow = self.step2(hidden, one["c2"], two["c2"], layers.upsample(flow.detach()) * 2)
        flows = dict(flows16=flows16, flows8=flows8, flows4=flows4, flows2=[flow])
        absolute = {name: [f + offset / int(name[5:]) for f in steps] for name, steps in flows.items()}
        log_scale = layers.upsample(operators.clamp(self.log_scale(hidden).float(), -4, 6))
        return dict(absolute, flow=self.step1(hidden, one["c1"], two["c1"], self.upsampling(hidden, flow)) + offset, log_scale=log_scale)

    def correlate(self, stride, hidden, a, b, flow):
        """The rounds of correlation at a stride; a gradient never crosses from one round's flow to the one before. Returns hidden, flow and all rounds'
        flows."""
        first, later = self.rounds(stride)
        flows = []
        for i in range(self.config.steps[(16, 8, 4).index(stride)]):
            hidden, flow = (later if i else first)(hidden, a, b, flow.detach())
            flows.append(flow)
        return hidden, flow, flows

    def rounds(self, stride):
        """The correlation steps of a stride's first round and of those after it."""
        first, later = getattr(self, f"step{stride}"), getattr(self, f"later{stride}")
        return first, first if later is None else later

    @staticmethod
    def uncertainty(match):
        """Where matches are uncertain: spread out, distrusted, or not what their surroundings make of them. [B, T, 3]."""
        change = ((match["matched"] - match["spread"]) ** 2).sum(-1, keepdim=True)
        return torch.cat([torch.log(match["variance"] + 0.1), match["confidence"], torch.log1p(change)], -1)


def positions(origin, rows, columns):
    """Token positions of windows: origin [B, n, 2] in tokens -> [B, n*rows*columns, 2] (x, y)."""
    y = torch.arange(rows, device=origin.device)
    x = torch.arange(columns, device=origin.device)
    base = torch.stack([x.repeat(rows), y.repeat_interleave(columns)], -1)
    return (origin[:, :, None, :] + base).flatten(1, 2)


def in_a_row(frames):
    """Windows of frames [B, n, h, w, 3] as images [B*n, 3, h, w]."""
    return frames.flatten(0, 1).permute(0, 3, 1, 2)


class WinWin(nn.Module):
    """Encoder and decoder: two frames' windows -> flow."""
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.encoder, self.decoder = Encoder(config), Decoder(config)

    def forward(self, frame1, frame2, origin1, origin2, distract=False, both_ways=False, tokens_only=False):
        """frame1, frame2 float [B, n, h, w, 3], 0-255, sides multiples of 16; origins int [B, n, 2] in tokens.

        distract: put another sample's windows beside frame 2's, as tokens that match nothing. both_ways: decode from frame 2 to frame 1 as well,
        as B more samples; both frames are encoded once either way. tokens_only: stop at the tokens' displacements. Returns Decoder's dict and keys,
        xy1, xy2.
        """
        b, _, h, w, _ = frame1.shape
        grid = h // PATCH, w // PATCH
        xy1, xy2 = positions(origin1, *grid), positions(origin2, *grid)
        features = self.encoder(in_a_row(torch.cat([frame1, frame2])), torch.cat([xy1, xy2]), 2 * b, tokens_only)
        halves = {k: v.chunk(2) for k, v in features.items()}
        one, two = ({k: v[i] for k, v in halves.items()} for i in (0, 1))
        if both_ways:
            one, two = features, {k: v.roll(len(v) // 2, 0) for k, v in features.items()}
            xy1, xy2 = torch.cat([xy1, xy2]), torch.cat([xy2, xy1])
            origin1, origin2 = torch.cat([origin1, origin2]), torch.cat([origin2, origin1])
        offset = ((origin2 - origin1) * PATCH).reshape(-1, 2, 1, 1).float()
        memory, memory_xy = None, xy2
        if distract and len(xy1) > 1:
            memory, memory_xy = self.distractors(two, xy2, origin2)
        out = self.decoder(one, two, xy1, memory_xy, offset, grid, memory=memory)
        return dict(out, keys=two["keys"], xy1=xy1, xy2=xy2)

    @staticmethod
    def distractors(two, xy2, origin2):
        """Frame 2's tokens and keys with those of the next sample's windows, put somewhere near: ((tokens, keys), positions)."""
        away = torch.randint(-40, 41, (len(xy2), 1, 2), device=xy2.device)
        strange = xy2.roll(1, 0) - origin2.roll(1, 0)[:, :1] + origin2[:, :1] + away
        memory = tuple(torch.cat([two[k], two[k].roll(1, 0)], 1) for k in ("tokens", "keys"))
        return memory, torch.cat([xy2, strange], 1)

    @torch.no_grad()
    def estimate(self, frame1, frame2, both_ways=False):
        """Flow of whole frames of any size: uint8 or float [H, W, 3] arrays or tensors -> flow [H, W, 2] in pixels, log scale [H, W].
        both_ways: from frame 1 to frame 2 and back, [2, H, W, 2] and [2, H, W], with one encoding of each frame."""
        device = next(self.parameters()).device
        one, two = (torch.as_tensor(f).to(device).float()[None, None] for f in (frame1, frame2))
        h, w = one.shape[2:4]
        pad = lambda x: F.pad(x[:, 0].permute(0, 3, 1, 2), (0, -w % PATCH, 0, -h % PATCH), mode="replicate").permute(0, 2, 3, 1)[:, None]
        zero = torch.zeros(1, 1, 2, dtype=torch.int64, device=device)
        was, _ = self.training, self.eval()
        out = self(pad(one), pad(two), zero, zero, both_ways=both_ways)
        self.train(was)
        flow, log_scale = out["flow"][..., :h, :w].permute(0, 2, 3, 1), out["log_scale"][:, 0, :h, :w]
        return (flow, log_scale) if both_ways else (flow[0], log_scale[0])
