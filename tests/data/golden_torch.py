#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""golden_torch.h: what PyTorch makes of small nets, for tests/unit/test_golden.c.

    python3 tests/data/golden_torch.py > tests/data/golden_torch.h

Weights, samples and labels follow from formulas that the test repeats.  All
parameters are one flat tensor in our own order, of which the layers are views,
so gradients and weights come out in that order, too.
"""
import math

import torch
import torch.nn.functional as F

BATCH, STEPS, PLACES = 6, 3, 12


class Flat:
    """Hands out views of the flat parameters, in order."""

    def __init__(self, values):
        self.values, self.used = values, 0

    def __call__(self, *shape):
        n = math.prod(shape)
        self.used += n
        return self.values[self.used - n:self.used].view(*shape)


def conv(p, x, out, k, valid=False, stride=1):
    w = p(k, k, x.shape[1], out).permute(3, 2, 0, 1)
    return F.conv2d(x, w, p(out), padding=0 if valid else k // 2, stride=stride)


def dense(p, x, out):
    if x.dim() == 4:
        x = x.permute(0, 2, 3, 1)
    x = x.flatten(1)
    return F.linear(x, p(x.shape[1], out).t(), p(out))


def norm(p, x, groups):
    scale, shift = p(x.shape[1]), p(x.shape[1])
    return F.group_norm(x, groups, scale, shift)


def gru(p, x, units):
    w, u = p(x.shape[2], 3 * units), p(units, 3 * units)
    weights = [w.t(), u.t(), p(3 * units), p(3 * units)]
    start = torch.zeros(1, x.shape[0], units)
    return torch._VF.gru(x, start, weights, True, 1, 0.0, True, False, True)[0]


def mlp(p, x):
    return dense(p, F.relu(dense(p, F.relu(dense(p, x, 16)), 12)), 4)


def images(x, channels, size):
    return x.view(-1, channels, size, size)


def lenet(p, x):
    x = F.max_pool2d(F.relu(conv(p, images(x, 1, 12), 6, 5)), 2)
    x = F.max_pool2d(F.relu(conv(p, x, 8, 3, valid=True)), 2)
    return dense(p, F.relu(dense(p, x, 20)), 5)


def normed(p, x):
    x = F.relu(norm(p, conv(p, images(x, 3, 8), 8, 3, stride=2), 4))
    x = F.avg_pool2d(torch.tanh(conv(p, x, 6, 3)), 2)
    return dense(p, x, 4)


def chars(p, x):
    x = F.embedding(x.long(), p(9, 5))
    x = gru(p, gru(p, x, 7), 6)[:, -1]
    return dense(p, x, 9)


def onehot(z, y):
    return F.one_hot(y, z.shape[1]).float()


LOSSES = {
    "ce": lambda z, y: F.cross_entropy(z, y),
    "mse": lambda z, y: F.mse_loss(z, onehot(z, y)),
    "smooth": lambda z, y: F.cross_entropy(z, y, label_smoothing=0.1),
    "focal": lambda z, y: (lambda lp: -((1 - lp.exp()) ** 2 * lp).mean())(
        F.log_softmax(z, 1).gather(1, y[:, None])[:, 0]),
    "hinge": lambda z, y: (1 + (z - 1e9 * onehot(z, y)).max(1)[0] -
                           z.gather(1, y[:, None])[:, 0]).clamp(min=0).mean(),
    "logistic": lambda z, y: F.binary_cross_entropy_with_logits(
        z, onehot(z, y), reduction="none").sum(1).mean(),
}
METHODS = {
    "sgd": lambda p: torch.optim.SGD(p, 0.05, weight_decay=0.01),
    "momentum": lambda p: torch.optim.SGD(p, 0.05, 0.9, weight_decay=0.01),
    "nesterov": lambda p: torch.optim.SGD(p, 0.05, 0.9, weight_decay=0.01,
                                          nesterov=True),
    "adam": lambda p: torch.optim.Adam(p, 0.05, weight_decay=0.01),
    "adamw": lambda p: torch.optim.AdamW(p, 0.05, weight_decay=0.01),
}
NETS = {
    "mlp:10-16-12-4": (mlp, 10, 4, 0),
    "cnn:1x12x12,c6k5,p2,c8k3v,p2,d20,5": (lenet, 144, 5, 0),
    "cnn:3x8x8,c8k3s2,gn4,c6k3,tanh,a2,4": (normed, 192, 4, 0),
    "rnn:7,e9x5,u7,u6,9": (chars, 7, 9, 9),
}


def parameters(net, features, x):
    p = Flat(torch.zeros(100000))
    with torch.no_grad():
        net(p, x)
    i = torch.arange(p.used, dtype=torch.float64)
    return (0.25 * torch.sin(0.37 * i + 1)).float()


def samples(features, vocabulary):
    i = torch.arange(BATCH * features, dtype=torch.float64)
    if vocabulary:
        x = (7 * i * i + 3 * i) % vocabulary
    else:
        x = torch.cos(0.61 * i)
    return x.float().view(BATCH, features)


def numbers(values):
    return ", ".join("%.9g" % v for v in values)


def case(model, loss, method):
    net, features, classes, vocabulary = NETS[model]
    x = samples(features, vocabulary)
    y = (3 * torch.arange(BATCH) + 1) % classes
    w = parameters(net, features, x).requires_grad_()
    step = METHODS[method]([w])
    places = [i * len(w) // PLACES for i in range(PLACES)]
    losses, gradient = [], None
    for _ in range(STEPS):
        step.zero_grad()
        value = LOSSES[loss](net(Flat(w), x), y)
        value.backward()
        losses.append(value.item())
        if gradient is None:
            gradient = w.grad[places].tolist()
        step.step()
    print('\t{ "%s", "%s", "%s", %d,' % (model, loss, method, len(w)))
    print("\t  { %s },\n\t  { %s },\n\t  { %s } }," %
          (numbers(losses), numbers(gradient), numbers(w[places].tolist())))


print("""/* SPDX-License-Identifier: BSD-3-Clause */
/* Made by golden_torch.py with PyTorch %s; not to be edited. */
/* clang-format off */
#define GOLDEN_BATCH  %d
#define GOLDEN_STEPS  %d
#define GOLDEN_PLACES %d

static const struct golden {
	const char *model, *loss, *method;
	size_t parameters;
	double losses[GOLDEN_STEPS];
	double gradient[GOLDEN_PLACES], weights[GOLDEN_PLACES];
} golden[] = {""" % (torch.__version__, BATCH, STEPS, PLACES))
torch.set_num_threads(1)
for a_model in NETS:
    for a_loss in LOSSES:
        case(a_model, a_loss, "sgd")
    for a_method in list(METHODS)[1:]:
        case(a_model, "ce", a_method)
print("};\n/* clang-format on */")
