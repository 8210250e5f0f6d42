// ES-MAML (Song, Gao, Yang, Choromanski, Pacchiano and Tang, "ES-MAML: Simple Hessian-Free Meta Learning",
// ICLR 2020, Alg. 3): meta-learning of a policy by evolution strategies over its adaptation, without
// derivatives. meta/policy/evolution_learner.h says what is done.
//
//   es_maml.sigma             of the meta-parameters' perturbations
//   es_maml.pairs             antithetic pairs of perturbations per task
//   es_maml.adaptation        gradient, evolution or hill_climbing: how inner.steps steps adapt
//   es_maml.shaping           deviation, ranks or none: what of returns is compared
//   es_maml.adaptation_sigma, es_maml.adaptation_pairs   of adaptation = evolution
//
// Two differences from the paper: every direction is taken both ways (the paper's experiments do, its
// Algorithm 3 does not), and policies are stochastic, as all here are; the paper's are deterministic.
//
// With meta.optimizer adam, sgd (the paper's) or lars.
#pragma once

#include "meta/algorithm.h"

namespace innerloop {

Algorithm es_maml();

}  // namespace innerloop
