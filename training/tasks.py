"""What a network is trained for: optical flow, cross-view completion before it, or the paper's two other tasks, monocular depth and semantic
segmentation.

All of them train on the same windows of the same scenes with the same encoder. The scenes come with inverse depth and class (what a texture
shows). A task names its network, the options of its scenes, its loss, and what is measured on whole frames.
"""
import dataclasses
import random

import torch
import torch.nn.functional as F
from torch import nn

from training import layers, losses, measures, network, textures


# Shares of what the scenes of flow training show beside plain layers (scenes.Scenes and windows.sample say what each is).
FLOW_SCENES = dict(smallest=0.05, dynamic_texture=0.08, forward=0.35, faint=0.25, faint_still=0.25, tripod=0.1, fine=0.35, sharpen=0.35, scattered=0.25)


class Monocular(nn.Module):
    """The encoder and a small head: windows of one frame [B, n, h, w, 3] -> maps [B*n, outputs, h, w]."""
    def __init__(self, config, outputs):
        super().__init__()
        s4, s8 = config.stem[1:]
        self.config, self.encoder = config, network.Encoder(config)
        for unused in ("match_stem", "match_encoder", "match_key", "correlate8", "correlate4", "compare2"):
            getattr(self.encoder, unused).requires_grad_(False)
        self.token, self.coarse = nn.Conv2d(config.width, s4, 1), nn.Conv2d(s8, s4, 1)
        self.head = nn.Sequential(nn.Conv2d(s4, s4, 3, padding=1), nn.ReLU(), nn.Conv2d(s4, outputs, 1))

    def forward(self, frame, origin):
        b, _, h, w, _ = frame.shape
        grid = h // network.PATCH, w // network.PATCH
        _, f4, f8, f16 = self.encoder.stem(network.in_a_row(frame))
        tokens = layers.to_map(self.encoder.attend(layers.to_tokens(f16, b), network.positions(origin, *grid), grid), *grid)
        p8, p4 = self.encoder.context(f4, f8, tokens)
        x = p4 + layers.upsample(self.coarse(p8)) + layers.upsample(self.token(tokens), 4)
        return layers.upsample(self.head(F.relu(x)).float(), 4)


class Flow:
    columns = ("matching", "flow", "window_epe", "acc_stem", "acc_encoder", "acc_decoder", "acc_all")
    measures = ("frame_epe", "frame_1px", "frame_fl")
    network = network.WinWin
    scenes = FLOW_SCENES

    @staticmethod
    def forward(net, s):
        return net(s.frame1, s.frame2, s.origin1, s.origin2, random.random() < 0.5, both_ways=s.backward is not None, tokens_only=s.tokens_only)

    @staticmethod
    def loss(net, out, s):
        s = s.both_ways()
        matching, accuracy = losses.matching(net, out, s)
        if "flow" not in out:  # tokens only
            return matching + 0.3 * losses.token_loss(out, s), []
        flow, epe = losses.flow_loss(out, s)
        return matching + 0.3 * flow, [matching.detach(), flow.detach(), epe, *accuracy]

    @staticmethod
    def evaluate(net, whole):
        rows = [measures.summary(net.estimate(s.frame1[0, 0], s.frame2[0, 0])[0].cpu(), s.flow[0, 0].cpu()) for s in whole]
        mean = measures.mean(rows)
        return mean["epe"], mean["px1"], mean["fl"]


class CrossView(nn.Module):
    """Encoder and decoder up to the tokens, and a layer that paints each token's patch."""
    def __init__(self, config):
        super().__init__()
        self.config, self.encoder, self.decoder = config, network.Encoder(config), network.Decoder(config)
        self.requires_grad_(False)
        trained = [f"encoder.{name}" for name in ("down", "blocks", "norm", "absolute")] + ["decoder.blocks", "decoder.norm"]
        for name, parameter in self.named_parameters():
            parameter.requires_grad_(name.startswith(tuple(trained)))
        self.head = nn.Linear(config.width, 3 * network.PATCH ** 2)

    def forward(self, frame1, frame2, origin1, origin2):
        """Windows [B, n, h, w, 3] of both frames, and their origins [B, n, 2] -> the patches of frame 1, [B, T, 3*PATCH^2], in units of their deviation."""
        b, _, h, w, _ = frame1.shape
        grid = h // network.PATCH, w // network.PATCH
        xy1, xy2 = network.positions(origin1, *grid), network.positions(origin2, *grid)
        tokens = layers.to_tokens(self.encoder.stem(network.in_a_row(torch.cat([frame1, frame2])))[-1], 2 * b)
        one, two = self.encoder.attend(tokens, torch.cat([xy1, xy2]), grid).chunk(2)
        return self.head(self.decoder.attend(one, two, xy1.float(), xy2.float(), grid)).float()


class Completion:
    """Cross-view completion, CroCo's task before flow (Weinzaepfel et al., NeurIPS 2022): most patches of frame 1 are hidden, and frame 2 helps to paint
    them. Encoder and decoder have the names that flow training with --init looks for.

    Measured by the mean squared error of hidden pixels, in units of their patch's variance, beside that without a second frame (grey).
    """
    HIDDEN = 0.9   # share of frame 1's patches
    GREY = 127.5   # what stands in their place
    NOISE = 4.0    # deviation that is added to a patch's own, so that flat patches need not be painted exactly
    columns = ("hidden_error",)
    measures = ("frame_error", "frame_error_grey")
    network = CrossView
    scenes = FLOW_SCENES

    @staticmethod
    def patches(frame):
        """[B, n, h, w, 3] -> [B, T, 3*PATCH^2], tokens in the order of network.positions."""
        b, n, h, w, _ = frame.shape
        p = network.PATCH
        return frame.reshape(b, n, h // p, p, w // p, p, 3).transpose(3, 4).reshape(b, -1, p * p * 3)

    @staticmethod
    def forward(net, s, generator=None):
        """Hide patches, paint them. Returns (painted, hidden): [B, T, 3*PATCH^2], bool [B, T]."""
        b, n, h, w, _ = s.frame1.shape
        p = network.PATCH
        hidden = torch.rand(b, n, h // p, w // p, generator=generator, device=s.frame1.device) < Completion.HIDDEN
        pixels = hidden.repeat_interleave(p, 2).repeat_interleave(p, 3)[..., None]
        return net(torch.where(pixels, Completion.GREY, s.frame1), s.frame2, s.origin1, s.origin2), hidden.reshape(b, -1)

    @staticmethod
    def loss(net, out, s):
        painted, hidden = out
        truth = Completion.patches(s.frame1)
        truth = (truth - truth.mean(-1, keepdim=True)) / (truth.std(-1, keepdim=True) + Completion.NOISE)
        error = ((painted - truth) ** 2).mean(-1)[hidden].mean()
        return error, [error.detach()]

    @staticmethod
    @torch.no_grad()
    def evaluate(net, whole):
        found = torch.zeros(2)
        for i, s in enumerate(whole):
            for k, frame2 in enumerate((s.frame2, torch.full_like(s.frame2, Completion.GREY))):
                pair = dataclasses.replace(s, frame2=frame2)
                generator = torch.Generator(device=s.frame1.device).manual_seed(i)
                found[k] += Completion.loss(net, Completion.forward(net, pair, generator), pair)[0].item() / len(whole)
        return tuple(found.tolist())


class Depth:
    """Inverse depth of every pixel. Measured by the mean relative error after scaling the estimate's median to the true one (one frame shows only
    ratios), beside the error of a constant, and by the correlation of estimate and truth within a frame.

    Its scenes are hazy: flat layers with arbitrary textures show nothing else of how far they are.
    """
    scenes = dict(haze=0.8)
    columns = ("l1",)
    measures = ("frame_abs_rel", "constant_abs_rel", "frame_correlation")

    @staticmethod
    def network(config):
        return Monocular(config, 1)

    @staticmethod
    def forward(net, s):
        return net(s.frame1, s.origin1)

    @staticmethod
    def loss(net, out, s):
        # Squared: more than half of the pixels are background, so an absolute error is smallest for the median everywhere
        error = 1 + 0.1 * out[:, 0] - s.inverse_depth.reshape(out[:, 0].shape)
        return (error ** 2).mean() * 50, [error.detach().abs().mean()]

    @staticmethod
    @torch.no_grad()
    def evaluate(net, whole):
        error = guess = correlation = 0.0
        for s in whole:
            truth = s.inverse_depth[0]
            estimate = 1 + 0.1 * net(s.frame1, s.origin1)[:, 0].reshape(truth.shape)
            error += ((estimate * (truth.median() / estimate.median()) - truth).abs() / truth).mean().item() / len(whole)
            guess += ((truth.median() - truth).abs() / truth).mean().item() / len(whole)
            correlation += torch.corrcoef(torch.stack([estimate.reshape(-1), truth.reshape(-1)]))[0, 1].item() / len(whole)
        return error, guess, correlation


class Segmentation:
    """Class of every pixel. Measured by the mean intersection over union (%), beside that of always naming the most frequent class."""
    scenes = {}
    columns = ("cross_entropy", "accuracy")
    measures = ("frame_miou", "constant_miou")
    classes = len(textures.FOLDERS)

    @staticmethod
    def network(config):
        return Monocular(config, Segmentation.classes)

    @staticmethod
    def forward(net, s):
        return net(s.frame1, s.origin1)

    @staticmethod
    def loss(net, out, s):
        truth = s.kind.reshape(out[:, 0].shape)
        loss = F.cross_entropy(out, truth)
        return loss, [loss.detach(), (out.argmax(1) == truth).float().mean()]

    @staticmethod
    @torch.no_grad()
    def evaluate(net, whole):
        k = Segmentation.classes
        table = torch.zeros(k, k)  # truth x guess, pooled over pixels
        for s in whole:
            truth, guess = s.kind[0].reshape(-1).cpu(), net(s.frame1, s.origin1).argmax(1).reshape(-1).cpu()
            table += torch.bincount(truth * k + guess, minlength=k * k).reshape(k, k)
        seen = table.sum(1) > 0
        union = table.sum(1) + table.sum(0) - table.diag()
        share = table.sum(1)[seen] / table.sum()
        return 100 * (table.diag()[seen] / union[seen]).mean().item(), 100 * share.max().item() / len(share)


TASKS = {"flow": Flow, "completion": Completion, "depth": Depth, "segmentation": Segmentation}
