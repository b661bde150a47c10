"""Three updates of AdamW, Muon and Lion in PyTorch: test/golden/optimizers/vectors.json.

    python experiments/oracles/optimizer_vectors.py [OUT]

AdamW is torch.optim.AdamW. Muon, Lion and cautious weight decay are written here from their papers, in float32:
torch.optim.Muon orthogonalizes in bfloat16, and is only asked whether it is near.
"""

import json
import pathlib
import sys

import torch

shapes = {"tall": (7, 4), "wide": (3, 8), "embedding": (5, 4), "norm": (4,)}
kinds = {"tall": "matrix", "wide": "matrix", "embedding": "embedding", "norm": "norm"}
steps = 3
rates = [0.02, 0.015, 0.01]
weight_decay = 0.1
max_norm = 1.0
options = {
    "adamw": {"beta1": 0.9, "beta2": 0.95, "epsilon": 1e-8},
    "muon": {
        "learning_rate": 0.02,
        "adamw_learning_rate": 0.004,
        "momentum": 0.95,
        "nesterov": True,
        "newton_schulz_steps": 5,
        "beta1": 0.9,
        "beta2": 0.95,
        "epsilon": 1e-8,
    },
    "muon_plain": {
        "learning_rate": 0.02,
        "momentum": 0.8,
        "nesterov": False,
        "newton_schulz_steps": 3,
        "beta1": 0.9,
        "beta2": 0.95,
        "epsilon": 1e-8,
    },
    "lion": {"beta1": 0.9, "beta2": 0.99},
}
for name in ("adamw", "muon", "lion"):
    options[f"{name}_cautious"] = {**options[name], "cautious_weight_decay": True}

torch.manual_seed(7)
start = {name: torch.randn(shape) for name, shape in shapes.items()}
gradients = [{name: 0.3 * torch.randn(shape) for name, shape in shapes.items()} for _ in range(steps)]


def orthogonalize(g, iterations):
    """Keller Jordan's zeropower_via_newtonschulz5, in float32."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = g.mT if g.shape[0] > g.shape[1] else g
    x = x / (x.norm() + 1e-7)
    for _ in range(iterations):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.mT if g.shape[0] > g.shape[1] else x


def decay_for(p, u, decay, o):
    """What decay is for each element under an update u: cautious decay (arXiv 2510.12402) only where signs agree."""
    return decay * (torch.sign(u) * torch.sign(p) >= 0) if o.get("cautious_weight_decay") else decay


def muon_update(p, g, m, lr, o):
    m.lerp_(g, 1 - o["momentum"])
    u = orthogonalize(g.lerp(m, o["momentum"]) if o["nesterov"] else m, o["newton_schulz_steps"])
    p.mul_(1 - lr * decay_for(p, u, weight_decay, o))
    p.sub_(lr * 0.2 * max(p.shape) ** 0.5 * u)


def lion_update(p, g, m, lr, decay, o):
    u = torch.sign(o["beta1"] * m + (1 - o["beta1"]) * g)
    p.mul_(1 - lr * decay_for(p, u, decay, o))
    p.sub_(lr * u)
    m.mul_(o["beta2"]).add_(g, alpha=1 - o["beta2"])


def adamw(parameters, o):
    decayed = [p for name, p in parameters.items() if kinds[name] != "norm"]
    norms = [p for name, p in parameters.items() if kinds[name] == "norm"]
    decay = 0.0 if o.get("cautious_weight_decay") else weight_decay
    return torch.optim.AdamW(
        [{"params": decayed, "weight_decay": decay}, {"params": norms, "weight_decay": 0.0}],
        betas=(o["beta1"], o["beta2"]),
        eps=o["epsilon"],
    )


@torch.no_grad()
def cautious_decay(parameters, before, torch_adamw, lr, o):
    for name, p in parameters.items():
        if kinds[name] != "norm":
            p.sub_(lr * decay_for(before[name], torch_adamw.state[p]["exp_avg"], weight_decay, o) * before[name])


def run(optimizer):
    o = options[optimizer]
    parameters = {name: torch.nn.Parameter(value.clone()) for name, value in start.items()}
    is_muon = optimizer.startswith("muon")
    is_adamw = optimizer.startswith("adamw")
    by_adamw = {n: p for n, p in parameters.items() if is_adamw or (is_muon and kinds[n] != "matrix")}
    moments = {name: torch.zeros(shapes[name]) for name in parameters if name not in by_adamw}
    torch_adamw = adamw(by_adamw, o) if by_adamw else None
    scale = o.get("adamw_learning_rate", o.get("learning_rate", 1.0)) / o.get("learning_rate", 1.0)
    rows = []
    for lr, grads in zip(rates, gradients):
        for name, p in parameters.items():
            p.grad = grads[name].clone()
        norm = torch.nn.utils.clip_grad_norm_(parameters.values(), max_norm)
        with torch.no_grad():
            for name, m in moments.items():
                if is_muon:
                    muon_update(parameters[name], parameters[name].grad, m, lr, o)
                else:
                    decay = 0.0 if kinds[name] == "norm" else weight_decay
                    lion_update(parameters[name], parameters[name].grad, m, lr, decay, o)
        if torch_adamw:
            for group in torch_adamw.param_groups:
                group["lr"] = lr * scale
            before = {name: p.detach().clone() for name, p in by_adamw.items()}
            torch_adamw.step()
            if o.get("cautious_weight_decay"):
                cautious_decay(by_adamw, before, torch_adamw, lr * scale, o)
        rows.append({"norm": norm.item(), "parameters": flat(parameters)})
    state = {f"m.{name}": m for name, m in moments.items()}
    for name, p in by_adamw.items():
        state[f"m.{name}"] = torch_adamw.state[p]["exp_avg"]
        state[f"v.{name}"] = torch_adamw.state[p]["exp_avg_sq"]
    return {"type": optimizer.split("_")[0], "options": o, "steps": rows, "state": flat(state)}


def flat(tensors):
    return {name: value.detach().flatten().tolist() for name, value in tensors.items()}


def check_against_torch_muon():
    """torch.optim.Muon with Moonlight's scale, in bfloat16 inside."""
    o = options["muon"]
    names = [name for name in shapes if kinds[name] == "matrix"]
    ours = {name: start[name].clone() for name in names}
    moments = {name: torch.zeros(shapes[name]) for name in names}
    theirs = {name: torch.nn.Parameter(start[name].clone()) for name in names}
    optimizer = torch.optim.Muon(
        theirs.values(),
        lr=rates[0],
        weight_decay=weight_decay,
        momentum=o["momentum"],
        nesterov=True,
        adjust_lr_fn="match_rms_adamw",
    )
    for grads in gradients:
        for name in names:
            theirs[name].grad = grads[name].clone()
            muon_update(ours[name], grads[name], moments[name], rates[0], o)
        optimizer.step()
    for name in names:
        moved = (ours[name] - start[name]).norm()
        difference = ((theirs[name].detach() - ours[name]).norm() / moved).item()
        print(f"torch.optim.Muon, {name}: differs by {difference:.4f} of the way")
        assert difference < 0.02


if __name__ == "__main__":
    check_against_torch_muon()
    default = pathlib.Path(__file__).parents[2] / "test/golden/optimizers/vectors.json"
    out = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else default
    out.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "torch": torch.__version__,
        "parameters": [{"name": n, "kind": kinds[n], "shape": list(s)} for n, s in shapes.items()],
        "start": flat(start),
        "gradients": [flat(g) for g in gradients],
        "rates": rates,
        "weight_decay": weight_decay,
        "max_norm": max_norm,
        "runs": [run(optimizer) for optimizer in options],
    }
    out.write_text(json.dumps(content) + "\n")
