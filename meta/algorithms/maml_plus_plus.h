// MAML++ (Antoniou, Edwards and Storkey, "How to train your MAML", ICLR 2019; code: AntreasAntoniou/
// HowToTrainYourMAMLPytorch), whose parts can each be switched off. With S inner steps and epoch e =
// floor(iteration / epoch):
//
//   multi-step loss      sum_k v_k(e) L_query(phi_k), k = 1..S, while e < multi_step_epochs = E:
//                          d = 1 / (S E);  v_k = max(1/S - e d, 0.03/S) for k < S,
//                          v_S = min(1/S + e (S - 1) d, 1 - (S - 1) 0.03/S);   then L_query(phi_S) alone
//   derivative order     first order while e <= first_order_epochs; -1: second order from the start (as
//   shipped) learned rates        phi_{k+1} = phi_k - alpha_{entry,k} g: a meta-parameter for every tensor
//   and step, named
//                        "inner.rate.NAME" [1, S]; steps beyond S take the last
//   per-step batch norm  shifts (and scales, where the network learns them) of every normalisation for each
//                        step, named "norm1.bias.step0"; they do not adapt. The support pass of step k and
//                        the query pass after it read slot k, later steps the last slot. Normalisation
//                        itself is by the batch, as in the code, whose per-step running averages are
//                        written and never read.
//
// The ensemble of the five checkpoints that are best on validation tasks is validation.keep = 5 and
// evaluation.ensemble = 5. The cosine annealing of the outer rate is the meta-optimizer's (meta.schedule =
// cosine in stages of an epoch).
#pragma once

#include <cstdint>
#include <vector>

#include "meta/algorithm.h"

namespace innerloop {

Algorithm maml_plus_plus();

// v_1 .. v_S of epoch e; (0, .., 0, 1) from epoch E on. They sum to 1.
std::vector<double> multi_step_weights(int64_t steps, int64_t epochs, int64_t epoch);

}  // namespace innerloop
