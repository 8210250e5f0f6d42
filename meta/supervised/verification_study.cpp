#include "meta/supervised/verification_study.h"

#include <algorithm>

#include "base/error.h"
#include "base/memory.h"
#include "datasets/domains.h"
#include "meta/pair_similarity.h"

namespace innerloop {
namespace {

using torch::Tensor;

constexpr int64_t kBlock = 128;  // identities

// Gallery and probe of every identity, T = 1.
Episodes gallery_and_probes(const SupervisedMetaLearner& learner, Split split, int64_t domain,
                            int64_t identities, Stream& stream) {
  const Dataset& dataset = learner.dataset();
  const EpisodeShape shape{.ways = identities, .shots = 1, .queries = 1};
  double input = 1;
  for (const auto n : dataset.spec().input) input *= static_cast<double>(n);
  const auto count = static_cast<double>(identities);
  require_memory("the study of verification",
                 {{concat("samples (", identities, " galleries and probes)"), 4 * 2 * count * input},
                  {"similarities", 4 * count * count}},
                 learner.config().memory);
  Episodes episodes = make_episodes(dataset.spec(), shape, 1);
  if (const Domains* domains = domains_of(dataset)) {
    domains->draw_within(split, domain, shape, stream, episodes, 0);
  } else {
    dataset.draw(split, shape, stream, episodes, 0);
  }
  return episodes;
}

struct Compared {
  Tensor gallery, probes;  // [1, N, E]
};

Compared compared(const SupervisedMetaLearner& learner, const Episodes& episodes) {
  const Params running = learner.method_state().part("running.");
  const Pass pass{.use = running.size() > 0 ? &running : nullptr};
  const int64_t identities = episodes.support_x.size(1);
  const int64_t blocks = (identities + kBlock - 1) / kBlock, each = (identities + blocks - 1) / blocks;
  std::vector<Tensor> gallery, probes;
  for (int64_t first = 0; first < identities; first += each) {
    const int64_t count = std::min(each, identities - first);
    const Tensor x =
        torch::cat({episodes.support_x.narrow(1, first, count), episodes.query_x.narrow(1, first, count)}, 1);
    const Tensor found = embedding_of(learner.method(), learner.meta_parameters(), x, pass);
    gallery.push_back(found.narrow(1, 0, count));
    probes.push_back(found.narrow(1, count, count));
  }
  return {torch::cat(gallery, 1), torch::cat(probes, 1)};
}

VerificationTrials trials_within(const SupervisedMetaLearner& learner, Split split, int64_t domain,
                                 int64_t identities, uint64_t seed, int64_t most_pairs) {
  const auto stream = [&](uint64_t what) {
    return Stream(StreamKey{.seed = seed,
                            .purpose = Purpose::kTrialPair,
                            .iteration = static_cast<uint64_t>(split),
                            .task = static_cast<uint64_t>(domain),
                            .trajectory = what});
  };
  Stream images = stream(0), pairs = stream(1);
  const auto of = compared(learner, gallery_and_probes(learner, split, domain, identities, images));
  std::vector<Tensor> rows;
  for (int64_t first = 0; first < identities; first += kBlock) {
    const Tensor probes = of.probes.narrow(1, first, std::min(kBlock, identities - first));
    rows.push_back(similarity_of(learner.method(), learner.meta_parameters(), probes, of.gallery));
  }
  const Tensor similarity = torch::cat(rows, 1).to(torch::kFloat32).contiguous();  // [1, probes, galleries]
  require(torch::isfinite(similarity).all().item<bool>(),
          "the study of verification: similarities are not finite");
  const float* data = similarity.data_ptr<float>();
  return verification_trials(
      identities, [&](int64_t probe) { return data + probe * identities; }, most_pairs, pairs);
}

}  // namespace

std::vector<VerificationTrials> study_verification(const SupervisedMetaLearner& learner, Split split,
                                                   uint64_t seed, int64_t most_pairs) {
  const torch::NoGradGuard no_graph;
  const Dataset& dataset = learner.dataset();
  require_usage(dataset.spec().classification, "the study of verification needs classes; the data set ",
                dataset.spec().name, " has none");
  const Domains* found = domains_of(dataset);
  const std::vector<Domain> domains =
      found != nullptr ? found->domains(split)
                       : std::vector<Domain>{{split_name(split), 0, dataset.classes(split)}};
  std::vector<VerificationTrials> out;
  for (size_t d = 0; d < domains.size(); ++d) {
    const auto number = static_cast<int64_t>(d);
    const EpisodeShape shape{.ways = std::max<int64_t>(2, domains[d].count), .shots = 1, .queries = 1};
    if (found != nullptr) {
      found->check_domain(split, number, shape);
    } else {
      dataset.check(split, shape);
    }
    out.push_back(trials_within(learner, split, number, domains[d].count, seed, most_pairs));
    out.back().domain = domains[d].name;
  }
  return out;
}

}  // namespace innerloop
