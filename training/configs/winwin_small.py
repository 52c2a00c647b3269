"""winwin-small: 6.9 times the weights of winwin-tiny, for one GPU.

Hardware  1 GPU with bfloat16 and 40 GB
Time      4 hours, in legs (training/gpu_leg.sh)
Result    Not known yet: no network of this size has been trained. The batch and the budget are estimates.
"""

network = dict(
    name="small",
    stem=(48, 96, 128),     # channels at strides 2, 4, 8
    blocks=(2, 2),          # residual blocks at strides 4, 8
    width=256,              # channels of a token
    heads=8,                # attention heads
    encoder=8,              # transformer blocks that see one frame
    decoder=6,              # transformer blocks that see both
    review=4,              # transformer blocks that see what matching found
    match=128,              # channels of a matching head, at each of three depths
    compared=(124, 44),     # channels that matching and token propagation compare tokens in
    correlation=(96, 64, 24),   # channels that are compared at strides 8, 4 (correlation) and 2 (warping)
    hidden=(160, 160, 96, 48),  # channels of the refinement state at strides 16, 8, 4, 2
    steps=(2, 3, 2),            # correlation steps at strides 16, 8, 4
    radius=(4, 4, 4),           # radius of the local correlation at strides 16, 8, 4
    inside=((96, 160, 96),) * 3,    # channels inside a correlation step at strides 16, 8, 4: evidence, update, head
    later=(),                   # a stride's rounds after the first: radius, channels inside; () if they are like the first
    propagation=((1, 2, 4, 8), (1, 2, 4)),  # distances of the propagation's neighbours at strides 8, 4, in cells; () for none
    pool=(4, 4),                # keys and values of self-attention and cross-attention are means of so many tokens each way
)

training = dict(
    budget=240,                                            # minutes of the whole schedule
    shapes="2x192x192,2x192x192,1x256x384,1x448x768",      # windows x height x width; one is drawn for each step
    batch=48,                                              # samples of the first shape; other shapes get as many pixels
    rate=5e-4,                                             # peak learning rate
    evaluate_every=4,                                      # minutes between evaluations: legs are short
)
