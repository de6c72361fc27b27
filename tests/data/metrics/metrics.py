"""Numbers that the tests of runtime/src/eval compare with: numpy, scipy and pytorch-msssim on inputs made by a formula."""
import numpy as np
import scipy.linalg


def rows(count, dim, shift):
    i, j = np.arange(count)[:, None].astype(np.float64), np.arange(dim)[None].astype(np.float64)
    return np.sin((i * 31 + j * 17) * 0.7 + shift) + 0.5 * np.cos(i * j * 0.13 + shift) + shift * 0.1 * j


def distance(count, dim, ddof):
    a, b = rows(count, dim, 0.0), rows(count, dim, 1.0)
    ca, cb = (np.cov(x, rowvar=False, ddof=ddof) for x in (a, b))
    cross = scipy.linalg.sqrtm(ca @ cb)
    return ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(ca + cb - 2 * cross.real)


print("FULL_RANK_N", repr(float(distance(200, 16, 0))))
print("FULL_RANK_N_1", repr(float(distance(200, 16, 1))))
print("DEFICIENT_N", repr(float(distance(10, 32, 0))))

import torch
from pytorch_msssim import ssim


def clips(phase):
    i = torch.arange(2 * 3 * 2 * 16 * 20, dtype=torch.float32)
    return (0.5 + 0.5 * torch.sin(i * 0.37 + phase)).reshape(2, 3, 2, 16, 20)


frames = lambda x: x.transpose(1, 2).reshape(4, 3, 16, 20)
print("SSIM", ssim(frames(clips(0.0)), frames(clips(0.4)), data_range=1, size_average=False).reshape(2, 2).mean(1).tolist())
