"""Training of wwflow's network: window-trained binocular optical flow (Win-Win, Leroy et al., ICLR 2024).

Runs on PyTorch 1.13 (Debian 12) and on current PyTorch, on a CPU or a GPU, with the same code.
Promises: the network that is trained on windows is, weight for weight, the one that runs on whole
frames; every random choice comes from a seed; unknown flow is masked, never zero.
"""
