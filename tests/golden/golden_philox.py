"""Philox4x32-10 and the noise and uniforms made from it (method section 9), in Python integers and float64."""

import math

import numpy as np

THINKING_NOISE, TOKEN_SAMPLING = 0, 1


def philox4x32(counter, key):
    c, k = list(counter), list(key)
    for i in range(10):
        if i:
            k = [(k[0] + 0x9E3779B9) % 2**32, (k[1] + 0xBB67AE85) % 2**32]
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(b >> 32) ^ c[1] ^ k[0], b % 2**32, (a >> 32) ^ c[3] ^ k[1], a % 2**32]
    return c


assert philox4x32([0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344], [0xA4093822, 0x299F31D0]) == [
    0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1]


def _uniform(word):
    return ((word >> 8) + 0.5) / 2**24


def noise(seed, position, rollout, step, d):
    out = []
    for block in range(-(-d // 4)):
        w = philox4x32([block, position, rollout, step], [seed, THINKING_NOISE])
        for first, second in ((w[0], w[1]), (w[2], w[3])):
            radius = math.sqrt(-2 * math.log(_uniform(first)))
            out += [radius * math.cos(2 * math.pi * _uniform(second)), radius * math.sin(2 * math.pi * _uniform(second))]
    return np.array(out[:d])


def uniform(seed, position, rollout, step):
    return _uniform(philox4x32([0, position, rollout, step], [seed, TOKEN_SAMPLING])[0])
