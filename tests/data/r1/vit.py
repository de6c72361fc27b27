"""R1 penalty of a small ViT critic and its gradient, by second-order differentiation (torch, float64)."""
import json
import math

import numpy as np
import torch
import torch.nn.functional as F

CHANNELS, FRAMES, SIZE, PATCH, DIM, HEADS = 3, 4, 8, (2, 4, 4), 8, 2
CELLS = (FRAMES // PATCH[0], SIZE // PATCH[1], SIZE // PATCH[2])
VALUES = CHANNELS * math.prod(PATCH)

SHAPES = {
    "net.embed.proj.weight": (VALUES, DIM),
    "net.embed.proj.bias": (DIM,),
    "net.class": (DIM,),
    "net.transformer.blocks.0.norm1.gamma": (DIM,),
    "net.transformer.blocks.0.norm1.beta": (DIM,),
    "net.transformer.blocks.0.qkv.weight": (DIM, 3 * DIM),
    "net.transformer.blocks.0.proj.weight": (DIM, DIM),
    "net.transformer.blocks.0.proj.bias": (DIM,),
    "net.transformer.blocks.0.norm2.gamma": (DIM,),
    "net.transformer.blocks.0.norm2.beta": (DIM,),
    "net.transformer.blocks.0.fc1.weight": (DIM, 4 * DIM),
    "net.transformer.blocks.0.fc1.bias": (4 * DIM,),
    "net.transformer.blocks.0.fc2.weight": (4 * DIM, DIM),
    "net.transformer.blocks.0.fc2.bias": (DIM,),
    "net.norm.gamma": (DIM,),
    "net.norm.beta": (DIM,),
    "net.head.weight": (DIM, 1),
    "net.head.bias": (1,),
}


def filled(number, name, shape):
    i = np.arange(math.prod(shape), dtype=np.float64)
    values = 0.25 * np.sin(1.7 * i + 0.9 * number) + (1.0 if name.endswith("gamma") else 0.0)
    # both sides start from the same float32 numbers
    return torch.from_numpy(values.astype(np.float32).astype(np.float64)).reshape(shape).requires_grad_()


def code(dim, position):
    angles = [position / 10000 ** (i / (dim // 2)) for i in range(dim // 2)]
    return [math.sin(a) for a in angles] + [math.cos(a) for a in angles]


def positions():
    rows = []
    for t in range(CELLS[0]):
        for y in range(CELLS[1]):
            for x in range(CELLS[2]):
                place = code(DIM // 2, x) + code(DIM // 2, y)
                rows.append([a + b for a, b in zip(place, code(DIM, t))])
    return torch.tensor(rows, dtype=torch.float64)


def patches(video):
    batch = video.shape[0]
    (t, h, w), (f, p, q) = CELLS, PATCH
    cut = video.reshape(batch, CHANNELS, t, f, h, p, w, q)
    return cut.permute(0, 2, 4, 6, 1, 3, 5, 7).reshape(batch, t * h * w, VALUES)


def norm(x, params, name, eps):
    return F.layer_norm(x, (DIM,), params[f"{name}.gamma"], params[f"{name}.beta"], eps)


def linear(x, params, name):
    y = x @ params[f"{name}.weight"]
    return y + params[f"{name}.bias"] if f"{name}.bias" in params else y


def score(video, p):
    batch, block = video.shape[0], "net.transformer.blocks.0"
    x = linear(patches(video), p, "net.embed.proj") + positions()
    x = torch.cat([p["net.class"].expand(batch, 1, DIM), x], 1)
    tokens = x.shape[1]
    qkv = linear(norm(x, p, f"{block}.norm1", 1e-5), p, f"{block}.qkv")
    q, k, v = qkv.reshape(batch, tokens, 3, HEADS, DIM // HEADS).permute(2, 0, 3, 1, 4)
    weights = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(DIM // HEADS), -1)
    x = x + linear((weights @ v).transpose(1, 2).reshape(batch, tokens, DIM), p, f"{block}.proj")
    hidden = F.gelu(linear(norm(x, p, f"{block}.norm2", 1e-5), p, f"{block}.fc1"))
    x = x + linear(hidden, p, f"{block}.fc2")
    return linear(norm(x[:, 0], p, "net.norm", 1e-6), p, "net.head")


def main():
    params = {name: filled(number, name, shape) for number, (name, shape) in enumerate(SHAPES.items())}
    i = np.arange(2 * CHANNELS * FRAMES * SIZE * SIZE, dtype=np.float64)
    pixels = (0.5 + 0.5 * np.sin(0.37 * i + 0.002 * i**1.3)).astype(np.float32).astype(np.float64)
    video = torch.from_numpy(pixels).reshape(2, CHANNELS, FRAMES, SIZE, SIZE).requires_grad_()
    scores = score(video, params)
    (gradient,) = torch.autograd.grad(scores.sum(), video, create_graph=True)
    penalty = 0.5 * gradient.square().sum((1, 2, 3, 4)).mean()
    penalty.backward()
    parameters = []
    for name, shape in SHAPES.items():
        # `None`: the penalty does not depend on it
        grad = params[name].grad
        values = [0.0] * math.prod(shape) if grad is None else grad.flatten().tolist()
        parameters.append({"path": name, "shape": shape, "gradient": [float(f"{value:.7g}") for value in values]})
    out = {"scores": scores.flatten().tolist(), "penalty": penalty.item(), "parameters": parameters}
    print(json.dumps(out, indent=None, separators=(",", ":")).replace('{"path"', '\n{"path"'))


main()
