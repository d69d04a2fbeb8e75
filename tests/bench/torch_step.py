#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""torch_step.py BENCH_STEP -- a training step of ours and one of PyTorch's.

Both on one thread, by turns, ROUNDS each; CPU time, medians.  What is shown is
how many times as long PyTorch takes, and how many times are asked for.

torch.set_num_threads() does not bind Debian's OpenBLAS: OPENBLAS_NUM_THREADS=1
and OMP_NUM_THREADS=1 must be in the environment.
"""
import os
import statistics
import subprocess
import sys
import time

import torch
from torch import nn

ROUNDS = 5
BATCHES = (1, 8, 32, 128)
MODELS = {
    "mlp:784-256-256-10": ((784,), (8, 4, 1.7, 1.25)),
    "cnn:1x28x28,c32k3,p2,c64k3,p2,d128,10": ((1, 28, 28), (3.5, 1.8, 1.6, 1.5)),
}


def make(name):
    if name.startswith("mlp"):
        return nn.Sequential(nn.Linear(784, 256), nn.ReLU(),
                             nn.Linear(256, 256), nn.ReLU(),
                             nn.Linear(256, 10))
    return nn.Sequential(nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(),
                         nn.MaxPool2d(2), nn.Conv2d(32, 64, 3, padding=1),
                         nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                         nn.Linear(3136, 128), nn.ReLU(), nn.Linear(128, 10))


def torch_us(name, batch):
    net, loss = make(name), nn.CrossEntropyLoss()
    sgd = torch.optim.SGD(net.parameters(), lr=1e-3)
    x, y = torch.randn(batch, *MODELS[name][0]), torch.randint(10, (batch,))

    def step():
        sgd.zero_grad()
        loss(net(x), y).backward()
        sgd.step()

    for _ in range(5):
        step()
    times = []
    end = time.monotonic() + 0.5
    while time.monotonic() < end or len(times) < 7:
        start = time.process_time_ns()
        step()
        times.append((time.process_time_ns() - start) / 1e3)
    return statistics.median(times)


def ours_us(program, name, batch):
    return float(subprocess.check_output([program, "step", name, str(batch)]))


def main():
    for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        if os.environ.get(variable) != "1":
            sys.exit("torch_step: %s must be 1" % variable)
    torch.set_num_threads(1)
    print("PyTorch %s, one thread; µs" % torch.__version__)
    print("%-40s %5s %10s %10s %7s %6s" % ("model", "batch", "ours", "PyTorch",
                                           "times", "asked"))
    for name, (_, asked) in MODELS.items():
        for batch, least in zip(BATCHES, asked):
            ours, theirs = [], []
            for _ in range(ROUNDS):
                ours.append(ours_us(sys.argv[1], name, batch))
                theirs.append(torch_us(name, batch))
            ours, theirs = statistics.median(ours), statistics.median(theirs)
            print("%-40s %5d %10.1f %10.1f %7.2f %6.2f" % (
                name, batch, ours, theirs, theirs / ours, least), flush=True)


if __name__ == "__main__":
    main()
