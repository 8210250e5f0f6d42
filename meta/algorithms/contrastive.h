// Contrastive learning as meta-learning (Ni, Shu, Souri, Goldblum and Goldstein, ICLR 2022; code:
// RenkunNi/MetaContrastive, models/losses.py, models/encoder.py and models/ssl.py): labels are not used,
// every image is a class of its own, and two random views of it are its support and its query.
//
//   mini-batch       n images of any training class, n = `images`; views x_i, x'_i (datasets/augmentation.h)
//   z = g(f(x))      f: the network without its last layer; g, in training alone: linear (as wide as f),
//   batch
//                    normalisation, ReLU, linear (`projector` outputs), batch normalisation without a shift
//   nt_xent          SimCLR's: of all 2 n views each against the 2 n - 1 others, softmax of scale cos(z_i,
//   z_j) prototypical     x_i the prototypes: softmax of -|v(z'_i) - v(z_j)|^2, v(z) = z / (|z|
//   sqrt(temperature)) r2d2             x_i the support set of a ridge regression to one-hot numbers of
//   images, without a bias:
//                    softmax of v(z'_i) W, W = S'(SS' + lambda I)^-1
//
// As in the code, whose one option `temperature` is `scale` for nt_xent, which it multiplies (10 is SimCLR's
// temperature .1), and divides by in the others: between unit vectors the prototypes' softmax is that of
// 2 cos / temperature. nt_xent asks of both views, the others of the second alone. Ridge logits are small
// (at most 1 / (1 + lambda temperature)) and have no factor, so that the loss begins near log n and stays
// near it.
//
// Tricks, as in the code unless said otherwise:
//   turn             with this probability both views are turned by the same k quarters, k ~ U{0, .., 3}: a
//                    turned image is another class
//   rotation_weight  times the cross-entropy of a linear layer on v(z) (for nt_xent z / (|z| sqrt(scale)))
//                    that tells by how many quarters a view was turned, added. It sees `rotation_share` of
//                    the 2 n views once more, each turned by k ~ U{0, .., 3}. Here they pass with the others
//                    as one batch, in the code apart. (The code has either this or `turn`; its annealing of
//                    the weight over all iterations is left out: a training that goes on must not depend on
//                    how long it will be.)
//   cutmix_weight    times lambda L(x, x~) + (1 - lambda) L(x, x~ in reverse order), added; L the head's
//   loss,
//                    x~_i the query x'_i with a box of x'_{n-1-i}: centre uniform, sides sqrt(1 - lambda) of
//                    the image's, lambda ~ Beta(a, a), then 1 - the box's share where it was cut off at the
//                    edge. With probability `mixup` x~_i = lambda x'_i + (1 - lambda) x'_{n-1-i} instead. One
//                    lambda and box for a mini-batch. (With both tricks off but this one the code then
//                    forgets the sum and trains by something else, ssl.py:325; that is not followed.)
//
// A held-out task is solved without g: the class whose mean of f is nearest, by cosine or squared distance
// (`nearest`, which may be changed after training). The accuracy that training reports is how often the
// nearest first view is that of the same image. `meta.batch_size` is the number of mini-batches of an
// iteration, 1 in the paper. Images are drawn as `joint` draws them, with repetition: two of the same number
// are false negatives of each other.
//
// Linear layers start from N(0, .01^2), as in the code; the network as configured. The paper's tables were
// not at hand: the defaults are those of the code's ImageNet commands.
#pragma once

#include <string>

#include "datasets/augmentation_config.h"
#include "meta/algorithm.h"

namespace innerloop {

struct ContrastiveConfig {
  std::string head = "nt_xent";  // or "prototypical", "r2d2"
  double scale = 10, temperature = 0.1, lambda = 50;
  int64_t images = 256, projector = 128;  // outputs of g; 0: z = f(x)
  AugmentationConfig views;
  double turn = 0;
  double rotation_weight = 0, rotation_share = 1;
  double cutmix_weight = 0, cutmix_beta = 1, mixup = 0.5;
  bool cosine = true;
};

Algorithm contrastive();

}  // namespace innerloop
