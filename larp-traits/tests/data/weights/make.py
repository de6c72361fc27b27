"""Writes the weight files beside it: `python make.py`, with torch, safetensors, numpy and easydict."""

import os
from collections import OrderedDict
from pathlib import Path

import numpy
import torch
from easydict import EasyDict
from safetensors.torch import save_file

HERE = Path(__file__).parent


def counted(*shape, dtype=torch.float32):
    return torch.arange(int(numpy.prod(shape)), dtype=torch.float32).reshape(shape).to(dtype)


def checkpoint():
    """As the released trainers write one."""
    layer = torch.nn.Linear(3, 2)
    with torch.no_grad():
        layer.weight.copy_(counted(2, 3))
        layer.bias.copy_(counted(2))
    average = OrderedDict((name, value / 2) for name, value in layer.state_dict().items())
    args = EasyDict(depth=2, rate=0.5, eps=1e-5, prior=None, learned=True, sizes=[1, 2], nested={"name": "svq", "seed": -70000})
    model = {"name": "linear", "args": args, "sd": layer.state_dict(), "ema_sd": {0.9999: average}}
    return {"model": model, "epoch": 300, "big": 2**40, "shape": torch.Size([2, 3]), "dtype": torch.bfloat16, "best": float("inf")}


def types():
    names = ["float16", "bfloat16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool"]
    return {name: torch.tensor([0, 1, 2, 100]).to(getattr(torch, name)) for name in names}


def views():
    whole = counted(3, 4)
    return {
        "whole": whole,
        "transposed": whole.t(),
        "slice": whole[1:, 1:3],
        "expanded": whole[0, :2].expand(3, 2),
        "column": whole[:, 2:3],
        "scalar": torch.tensor(7.5),
        "empty": torch.zeros(0, 4),
        "parameter": torch.nn.Parameter(counted(2)),
        "list": [counted(1), (counted(2), 5)],
    }


class Command:
    def __reduce__(self):
        return os.system, ("touch run-by-the-pickle",)


def main():
    for name, value in {"checkpoint": checkpoint(), "types": types(), "views": views(), "command": {"sd": Command()}}.items():
        torch.save(value, HERE / f"{name}.pth")
        torch.save(value, HERE / f"{name}_legacy.pth", _use_new_zipfile_serialization=False)
    torch.save(checkpoint(), HERE / "protocol4.pth", pickle_protocol=4)
    torch.save({"rng": numpy.random.RandomState(0).get_state()}, HERE / "numpy.pth")
    torch.save(torch.nn.Linear(1, 1), HERE / "whole_module.pth")
    save_file({name: value for name, value in types().items()}, HERE / "types.safetensors", metadata={"format": "pt"})
    layer = torch.nn.Sequential(torch.nn.Linear(3, 2))
    layer.load_state_dict({f"0.{name}": value for name, value in checkpoint()["model"]["sd"].items()})
    torch.jit.script(layer).save(str(HERE / "torchscript.pt"))


if __name__ == "__main__":
    main()
