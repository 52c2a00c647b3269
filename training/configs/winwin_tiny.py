"""winwin-tiny: the network that ships. It trains on a CPU.

Hardware  2 CPU cores; cores with AMX (Intel Xeon since 2023) train in bfloat16, twice as fast
Memory    about 1 GB for each process
Time      8.5 hours
Result    The graphs in models/winwin-tiny: 40,225 steps, 230,109 samples, 1,151 minutes on 2 cores and 8 minutes on an H100. Mean
          endpoint error 6.18 px on the 12 synthetic frames, 0.46 px on the 4 synthetic Full-HD frames, 3.80 px on the 17 real pairs. They
          were trained in several legs while the code and the network changed (models/winwin-tiny/training.md), so a single run of this
          file gives a similar network, not the same one.
"""

network = dict(
    name="tiny",
    stem=(32, 64, 96),      # channels at strides 2, 4, 8
    blocks=(1, 1),          # residual blocks at strides 4, 8
    width=128,              # channels of a token
    heads=4,                # attention heads
    encoder=2,              # transformer blocks that see one frame
    decoder=2,              # transformer blocks that see both
    review=2,              # transformer blocks that see what matching found
    match=64,               # channels of a matching head, at each of three depths
    compared=(92, 28),      # channels that matching and token propagation compare tokens in
    correlation=(64, 32, 8),    # channels that are compared at strides 8, 4 (correlation) and 2 (warping)
    hidden=(96, 96, 64, 16),    # channels of the refinement state at strides 16, 8, 4, 2
    steps=(1, 3, 1),            # correlation steps at strides 16, 8, 4
    radius=(4, 4, 2),           # radius of the local correlation at strides 16, 8, 4
    inside=((48, 64, 32), (64, 96, 64), (48, 64, 32)),  # channels inside a correlation step at strides 16, 8, 4: evidence, update, head
    later=(2, (48, 64, 32)),    # a stride's rounds after the first: radius, channels inside; () if they are like the first
    propagation=((1, 2, 4, 8), (1, 2, 4)),  # distances of the propagation's neighbours at strides 8, 4, in cells; () for none
    pool=(4, 4),                # keys and values of self-attention and cross-attention are means of so many tokens each way
)

training = dict(
    budget=510,                               # minutes of the whole schedule
    processes=2, threads=1,                   # threads wait for each other in every small operator; processes do not
    shapes="2x128x128,2x128x128,1x192x256",   # windows x height x width; one is drawn for each step
    batch=3,                                  # samples of the first shape; other shapes get as many pixels
    rate=5e-4,                                # peak learning rate
)
