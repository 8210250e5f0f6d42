// `innerloop analyse --study verification`: told on the terminal, kept as JSON and drawn.
#pragma once

#include "meta/supervised/verification_study.h"
#include "runners/experiment/supervised_evaluation.h"

namespace innerloop {

// Measures on the test split, with the threshold of `accuracy` from the validation split (none where that has
// no two classes), prints, and writes into the run directory verification.json (kept as
// runners/experiment/evaluation_files.h says), verification.png and verification.svg:
//
//   {study, dataset, data_digest, algorithm, seed, overrides, batch_norm, protocol, pairs (the most of a
//    domain), bootstrap (replicates), meta_iterations, selected_iteration, threshold|null, accuracy|null,
//    all: FIGURES, domains: [{name, FIGURES}], roc: [{far, tar}]}
//   FIGURES: identities, genuine, impostors, and of rank1, tar_at_0.1 .. tar_at_0.0001, auc, eer {value,
//    ci95: [low, high]}
void report_verification(SupervisedMetaLearner& learner, const ExperimentConfig& config,
                         const RunDirectory& directory, const SelectedCheckpoint& selected,
                         int64_t most_pairs);

}  // namespace innerloop
