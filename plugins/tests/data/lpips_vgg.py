"""Makes lpips_vgg.safetensors: distances and input gradients of the Python package `lpips` on weights and clips that
`larp_plugins::formula` makes too. Needs torch, torchvision, lpips (0.1.4) and safetensors:

    python lpips_vgg.py

`formula.*`: backbone and heads by the formula. `real_heads.*`: backbone by the formula, the heads of the package.
"""

import os

import lpips
import numpy as np
import torch
from safetensors.torch import save_file

SHAPE = (2, 3, 2, 20, 24)  # batch, channels, frames, height, width


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


def model(real_heads):
    model = lpips.LPIPS(net="vgg", pretrained=False, pnet_rand=True, verbose=False)
    convolutions = [module for module in model.net.modules() if isinstance(module, torch.nn.Conv2d)]
    assert len(convolutions) == 13
    with torch.no_grad():
        for index, convolution in enumerate(convolutions):
            shape = tuple(convolution.weight.shape)
            convolution.weight.copy_(symmetric(2 * index, shape, np.sqrt(6.0 / np.prod(shape[1:]))))
            convolution.bias.copy_(symmetric(2 * index + 1, tuple(convolution.bias.shape), 0.1))
        for index, head in enumerate(model.lins):
            head.model[-1].weight.copy_(positive(26 + index, tuple(head.model[-1].weight.shape)))
    if real_heads:
        path = os.path.join(os.path.dirname(lpips.__file__), "weights/v0.1/vgg.pth")
        heads = torch.load(path, map_location="cpu", weights_only=True)
        assert len(heads) == 5 and not model.load_state_dict(heads, strict=False).unexpected_keys
    return model.eval()


def compare(model):
    """Distances a clip (mean over its frames), and the gradient of their sum to the first clips."""
    a, b = positive(1000, SHAPE).requires_grad_(), positive(1001, SHAPE)
    frames = lambda clips: clips.transpose(1, 2).reshape(-1, SHAPE[1], *SHAPE[3:])
    distance = model(frames(a), frames(b), normalize=True).reshape(SHAPE[0], SHAPE[2]).mean(1)
    distance.sum().backward()
    return {"distance": distance.detach(), "gradient": a.grad}


if __name__ == "__main__":
    torch.set_num_threads(1)
    cases = {"formula": model(False), "real_heads": model(True)}
    values = {f"{name}.{key}": value for name, case in cases.items() for key, value in compare(case).items()}
    for key, value in values.items():
        print(key, tuple(value.shape), value.flatten()[:4].tolist(), value.abs().max().item())
    save_file(values, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lpips_vgg.safetensors"))
