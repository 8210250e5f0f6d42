#include "meta/algorithms/registry.h"

#include "base/error.h"
#include "base/row.h"
#include "meta/algorithms/alfa.h"
#include "meta/algorithms/anil.h"
#include "meta/algorithms/baseline_finetune.h"
#include "meta/algorithms/baseline_nearest_neighbour.h"
#include "meta/algorithms/bmaml.h"
#include "meta/algorithms/boil.h"
#include "meta/algorithms/cavia.h"
#include "meta/algorithms/cdt.h"
#include "meta/algorithms/contrastive.h"
#include "meta/algorithms/cosface.h"
#include "meta/algorithms/e_maml.h"
#include "meta/algorithms/emaml_ensemble.h"
#include "meta/algorithms/es_maml.h"
#include "meta/algorithms/fo_reptile.h"
#include "meta/algorithms/imaml.h"
#include "meta/algorithms/joint.h"
#include "meta/algorithms/lr_d2.h"
#include "meta/algorithms/maml.h"
#include "meta/algorithms/maml_plus_plus.h"
#include "meta/algorithms/mann.h"
#include "meta/algorithms/matching.h"
#include "meta/algorithms/matching_fce.h"
#include "meta/algorithms/meta_lstm.h"
#include "meta/algorithms/meta_sgd.h"
#include "meta/algorithms/metal.h"
#include "meta/algorithms/mfr.h"
#include "meta/algorithms/mlti.h"
#include "meta/algorithms/mt_net.h"
#include "meta/algorithms/promp.h"
#include "meta/algorithms/prototypical.h"
#include "meta/algorithms/r2d2.h"
#include "meta/algorithms/reptile.h"
#include "meta/algorithms/rl2.h"
#include "meta/algorithms/siamese.h"
#include "meta/algorithms/t_net.h"
#include "meta/algorithms/triplet.h"
#include "meta/algorithms/tsa_maml.h"
#include "meta/algorithms/unicorn_maml.h"
#include "meta/optimizers/table.h"

namespace innerloop {

// Adding an algorithm: write meta/algorithms/NAME.{h,cpp}, add its line here (docs/adding_an_algorithm.md).
const std::vector<Algorithm>& algorithms() {
  // clang-format off
  static const std::vector<Algorithm> table{
      alfa(),
      anil(),
      baseline_finetune(),
      baseline_nearest_neighbour(),
      bmaml(),
      boil(),
      cavia(),
      cdt(),
      contrastive(),
      cosface(),
      e_maml(),
      emaml_ensemble(),
      es_maml(),
      fo_reptile(),
      fomaml(),
      imaml(),
      joint(),
      lr_d2(),
      maml(),
      maml_plus_plus(),
      mann(),
      matching(),
      matching_fce(),
      meta_lstm(),
      meta_sgd(),
      metal(),
      mfr(),
      mlti(),
      mt_net(),
      promp(),
      prototypical(),
      r2d2(),
      reptile(),
      rl2(),
      siamese(),
      t_net(),
      triplet(),
      tsa_maml(),
      unicorn_maml(),
  };
  // clang-format on
  return table;
}

const Algorithm& find_algorithm(const std::string& name) {
  return find_named("algorithm", algorithms(), name);
}

void apply_algorithm(const std::string& name, MetaConfig& config) {
  const Algorithm& algorithm = find_algorithm(name);
  config.algorithm.name = name;
  const auto known = meta_keys(names_of(meta_optimizers()));
  for (const auto& [key, value] : algorithm.prescribes) {
    for (const auto& candidate : known) {
      if (candidate.name != key) continue;
      require(candidate.set(&config, value), "algorithm ", name, " prescribes ", key, " = ", value,
              ", which is not ", candidate.expected);
    }
  }
}

}  // namespace innerloop
