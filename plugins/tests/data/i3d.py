"""Makes i3d.json: logits of a PyTorch I3D on weights and clips that `larp_plugins::formula` makes too. Needs torch and numpy:

    python i3d.py

The layers, their names and their padding follow Carreira and Zisserman (2017) as ported to PyTorch; pictures are resized as FVD does.
"""

import json
import os

import numpy as np
import torch
import torch.nn.functional as F

SHAPE = (2, 3, 9, 20, 24)  # batch, channels, frames, height, width
BLOCKS = [
    (192, [64, 96, 128, 16, 32, 32]),
    (256, [128, 128, 192, 32, 96, 64]),
    (480, [192, 96, 208, 16, 48, 64]),
    (512, [160, 112, 224, 24, 64, 64]),
    (512, [128, 128, 256, 24, 64, 64]),
    (512, [112, 144, 288, 32, 64, 64]),
    (528, [256, 160, 320, 32, 128, 128]),
    (832, [256, 160, 320, 32, 128, 128]),
    (832, [384, 192, 384, 48, 128, 128]),
]


def uniform(tensor, count):
    """24 bits of the hash `lowbias32` of (tensor, index), in [0, 1), as float64."""
    with np.errstate(over="ignore"):
        x = np.uint32(tensor) * np.uint32(0x9E3779B9) + np.arange(count, dtype=np.uint32)
        x = (x ^ (x >> np.uint32(16))) * np.uint32(0x7FEB352D)
        x = (x ^ (x >> np.uint32(15))) * np.uint32(0x846CA68B)
        x = x ^ (x >> np.uint32(16))
    return (x >> np.uint32(8)).astype(np.float64) / float(1 << 24)


def symmetric(tensor, shape, bound):
    values = (2.0 * uniform(tensor, int(np.prod(shape))) - 1.0) * bound
    return torch.from_numpy(values.astype(np.float32)).reshape(shape)


def positive(tensor, shape):
    return torch.from_numpy(uniform(tensor, int(np.prod(shape))).astype(np.float32)).reshape(shape)


def same(x, kernel, stride):
    """TensorFlow's padding."""
    pads = []
    for length, k, s in zip(x.shape[2:], kernel, stride):
        total = max((-(-length // s) - 1) * s + k - length, 0)
        pads = [total // 2, total - total // 2] + pads
    return F.pad(x, pads)


class Unit(torch.nn.Module):
    """A convolution, batch normalisation and ReLU; the head has a bias alone."""

    def __init__(self, number, inputs, outputs, size=1, stride=1, head=False):
        super().__init__()
        self.kernel, self.stride = (size,) * 3, (stride,) * 3
        self.conv = torch.nn.Conv3d(inputs, outputs, size, stride, bias=head)
        shape = self.conv.weight.shape
        self.conv.weight.data = symmetric(5 * number, shape, (6.0 / np.prod(shape[1:])) ** 0.5)
        self.norm = None
        if head:
            self.conv.bias.data = symmetric(5 * number + 2, (outputs,), 0.1)
            return
        self.norm = torch.nn.BatchNorm3d(outputs, eps=1e-3)
        self.norm.weight.data = positive(5 * number + 1, (outputs,)) + 0.5
        self.norm.bias.data = symmetric(5 * number + 2, (outputs,), 0.1)
        self.norm.running_mean = symmetric(5 * number + 3, (outputs,), 0.1)
        self.norm.running_var = positive(5 * number + 4, (outputs,)) + 0.5

    def forward(self, x):
        x = self.conv(same(x, self.kernel, self.stride))
        return x if self.norm is None else torch.relu(self.norm(x))


def pool(x, kernel, stride):
    return F.max_pool3d(same(x, kernel, stride), kernel, stride)


def logits(clips):
    number = iter(range(1000))
    unit = lambda *sizes, **more: Unit(next(number), *sizes, **more).eval()
    frames = clips.transpose(1, 2).flatten(0, 1)
    frames = F.interpolate(frames, (224, 224), mode="bilinear", align_corners=False)
    x = frames.unflatten(0, (clips.shape[0], clips.shape[2])).transpose(1, 2) * 2 - 1
    x = pool(unit(3, 64, 7, 2)(x), (1, 3, 3), (1, 2, 2))
    x = unit(64, 64)(x)
    x = pool(unit(64, 192, 3)(x), (1, 3, 3), (1, 2, 2))
    for index, (inputs, c) in enumerate(BLOCKS):
        if index == 2:
            x = pool(x, (3, 3, 3), (2, 2, 2))
        if index == 7:
            x = pool(x, (2, 2, 2), (2, 2, 2))
        b0 = unit(inputs, c[0])(x)
        b1 = unit(inputs, c[1])(x)
        b1 = unit(c[1], c[2], 3)(b1)
        b2 = unit(inputs, c[3])(x)
        b2 = unit(c[3], c[4], 3)(b2)
        b3 = unit(inputs, c[5])(pool(x, (3, 3, 3), (1, 1, 1)))
        x = torch.cat([b0, b1, b2, b3], 1)
    x = F.avg_pool3d(x, (2, 7, 7), 1)
    x = unit(1024, 400, head=True)(x)
    return x.squeeze(-1).squeeze(-1).mean(2)


with torch.no_grad():
    values = logits(positive(1000, SHAPE))
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "i3d.json")
with open(path, "w") as file:
    json.dump({"shape": SHAPE, "logits": [[float(f"{value:.7g}") for value in row] for row in values.tolist()]}, file)
print(path, values.abs().max().item(), values.std().item())
