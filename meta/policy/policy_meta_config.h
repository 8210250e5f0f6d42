// What the meta-training of a policy is given. No torch: configurations are read without it.
#pragma once

#include <string>
#include <vector>

#include "envs/environment.h"
#include "meta/meta_config.h"
#include "policies/policy_config.h"
#include "sampling/advantages.h"
#include "sampling/sampler.h"

namespace innerloop {

struct PolicyMetaConfig : MetaConfig {
  EnvironmentConfig environment;
  PolicyConfig policy;
  SamplerConfig sampler;
  AdvantageConfig advantage;
  // Inner loss: "log_likelihood" -mean(log pi A), the paper's; "likelihood_ratio" -mean(pi / pi_old A), whose
  // second derivative keeps the sampling distribution's dependence (LVC; Rothfuss et al. 2019, eq. 9);
  // "dice", whose second derivative is also right across the steps of a trajectory (Foerster et al. 2018).
  std::string estimator = "log_likelihood";
};

std::vector<Key> policy_meta_keys();  // of PolicyMetaConfig but for MetaConfig's and the rows' own

}  // namespace innerloop
