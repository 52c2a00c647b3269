"""Training of wwflow's network: window-trained binocular optical flow (Win-Win, Leroy et al., ICLR 2024).

The code runs on PyTorch 1.13 (Debian 12) and on current PyTorch, on a CPU or a GPU. The weights trained on windows run unchanged on whole
frames; every random number comes from a seed; unknown flow is masked, never set to zero.
"""
