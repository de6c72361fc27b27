"""Numbers that the tests of runtime/src/eval compare with: numpy, scipy and pytorch-msssim on inputs made by a formula.

python3 metrics.py > metrics.json
"""
import json

import numpy as np
import scipy.linalg
import torch
from pytorch_msssim import ssim


def rows(count, dim, shift):
    i, j = np.arange(count)[:, None].astype(np.float64), np.arange(dim)[None].astype(np.float64)
    return np.sin((i * 31 + j * 17) * 0.7 + shift) + 0.5 * np.cos(i * j * 0.13 + shift) + shift * 0.1 * j


def distance(count, dim, ddof):
    a, b = rows(count, dim, 0.0), rows(count, dim, 1.0)
    ca, cb = (np.cov(x, rowvar=False, ddof=ddof) for x in (a, b))
    cross = scipy.linalg.sqrtm(ca @ cb)
    return float(((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(ca + cb - 2 * cross.real))


def clips(phase):
    i = torch.arange(2 * 3 * 2 * 16 * 20, dtype=torch.float32)
    return (0.5 + 0.5 * torch.sin(i * 0.37 + phase)).reshape(2, 3, 2, 16, 20)


def similarity(a, b):
    frames = lambda x: x.transpose(1, 2).reshape(4, 3, 16, 20)
    return ssim(frames(a), frames(b), data_range=1, size_average=False).reshape(2, 2).mean(1).tolist()


numbers = {
    "full_rank_n": distance(200, 16, 0),
    "full_rank_n_1": distance(200, 16, 1),
    "deficient_n": distance(10, 32, 0),
    "ssim": similarity(clips(0.0), clips(0.4)),
}
print(json.dumps(numbers, indent=2))
