"""Peak memory and time of one training step of a tokenizer of LARP-B's shapes in PyTorch, with its fused attention.

Written for this comparison: the parts that hold memory in training, in the sizes of `pipelines/larp-b.toml`, with random clips.
Prints seconds of the second step, peak resident memory and memory after the imports, in bytes.
"""

import resource
import time

import torch
from torch import nn
from torch.nn import functional as F

TOKENS, PATCHES, DIM, DEPTH, HEADS = 1024, 1024, 768, 8, 12
VALUES, CODE_DIM, VOCAB, TEMPERATURE = 3 * 4 * 8 * 8, 8, 8192, 0.03
PRIOR_DIM, PRIOR_DEPTH, PRIOR_HEADS, DROPOUT = 384, 12, 6, 0.1


class Block(nn.Module):
    def __init__(self, dim, heads, causal=False, dropout=0.0):
        super().__init__()
        self.heads, self.causal, self.dropout = heads, causal, dropout
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.qkv, self.proj = nn.Linear(dim, 3 * dim, bias=causal), nn.Linear(dim, dim)
        self.fc1, self.fc2 = nn.Linear(dim, 4 * dim), nn.Linear(4 * dim, dim)

    def forward(self, x):
        batch, tokens, dim = x.shape
        qkv = self.qkv(self.norm1(x)).view(batch, tokens, 3, self.heads, dim // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        y = F.scaled_dot_product_attention(q, k, v, dropout_p=self.dropout, is_causal=self.causal)
        x = x + F.dropout(self.proj(y.transpose(1, 2).reshape(batch, tokens, dim)), self.dropout)
        return x + F.dropout(self.fc2(F.gelu(self.fc1(self.norm2(x)))), self.dropout)


class Tokenizer(nn.Module):
    def __init__(self):
        super().__init__()
        stack = lambda: nn.Sequential(*[Block(DIM, HEADS) for _ in range(DEPTH)])
        code = lambda count: nn.Parameter(0.02 * torch.randn(1, count, DIM))
        self.embed, self.encoder, self.decoder = nn.Linear(VALUES, DIM), stack(), stack()
        self.queries, self.patch_queries, self.positions = code(TOKENS), code(PATCHES), code(TOKENS)
        self.project_in, self.project_out = nn.Linear(DIM, CODE_DIM), nn.Linear(CODE_DIM, DIM)
        self.codes = nn.Parameter(torch.randn(VOCAB, CODE_DIM))
        self.norm, self.head = nn.LayerNorm(DIM), nn.Linear(DIM, VALUES)
        self.prior_in, self.prior_out = nn.Linear(CODE_DIM, PRIOR_DIM), nn.Linear(PRIOR_DIM, CODE_DIM)
        self.prior_positions = nn.Parameter(0.02 * torch.randn(1, TOKENS, PRIOR_DIM))
        self.prior = nn.Sequential(*[Block(PRIOR_DIM, PRIOR_HEADS, True, DROPOUT) for _ in range(PRIOR_DEPTH)])
        self.prior_norm = nn.LayerNorm(PRIOR_DIM)

    def predict(self, embeddings, codes):
        hidden = F.dropout(self.prior_in(embeddings[:, :-1]) + self.prior_positions[:, :-1], DROPOUT)
        predicted = F.normalize(self.prior_out(self.prior_norm(self.prior(hidden))), dim=-1)
        return predicted @ codes.detach().t() / TEMPERATURE

    def forward(self, patches):
        batch = patches.shape[0]
        known = self.embed(patches)
        latents = self.encoder(torch.cat([known, self.queries.expand(batch, -1, -1)], 1))[:, PATCHES:]
        latents, codes = F.normalize(self.project_in(latents), dim=-1), F.normalize(self.codes, dim=-1)
        with torch.no_grad():
            odds = (latents.flatten(0, 1) @ codes.t() / TEMPERATURE).softmax(-1)
            tokens = odds.multinomial(1).view(batch, TOKENS)
            del odds
        chosen = codes[tokens]
        losses = 0.25 * F.mse_loss(latents, chosen.detach()) + F.mse_loss(chosen, latents.detach())
        embeddings = latents + (chosen - latents).detach()
        sequence = torch.cat([self.project_out(embeddings) + self.positions, self.patch_queries.expand(batch, -1, -1)], 1)
        pixels = self.head(self.norm(self.decoder(sequence)[:, TOKENS:]))
        logits = self.predict(embeddings, codes)
        nll = F.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())
        with torch.no_grad():
            drawn = codes[logits.flatten(0, 1).softmax(-1).multinomial(1).view(batch, -1)]
            replaced = torch.rand(batch, TOKENS - 1, 1) < 0.25
        mixed = torch.cat([embeddings[:, :1], torch.where(replaced, drawn, embeddings[:, 1:])], 1)
        nll = nll + F.cross_entropy(self.predict(mixed, codes).flatten(0, 1), tokens[:, 1:].flatten())
        return (pixels - patches).abs().mean() + 0.1 * losses + 0.03 * nll


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main():
    start = peak()
    torch.manual_seed(0)
    model = Tokenizer()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4, betas=(0.9, 0.95))
    for _ in range(2):
        clock = time.perf_counter()
        patches = torch.rand(1, PATCHES, VALUES)
        optimizer.zero_grad(set_to_none=True)
        model(patches).backward()
        optimizer.step()
        seconds = time.perf_counter() - clock
    print(seconds, peak(), start)


main()
