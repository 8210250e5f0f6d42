#include "meta/algorithms/contrastive.h"

#include <cmath>

#include "base/error.h"
#include "datasets/dataset.h"
#include "meta/algorithms/contrastive_heads.h"
#include "meta/algorithms/contrastive_views.h"
#include "meta/algorithms/prototypical.h"
#include "meta/feature_classifier.h"
#include "networks/image_layers.h"
#include "networks/initialization.h"

namespace innerloop {
namespace {

using torch::Tensor;

constexpr const char* kContrastivePrefix = "contrastive.";

Key of_heads(Key key, const char* expected, bool (*met)(const std::string& head)) {
  return keys::needs(std::move(key), {"contrastive.head", expected, met});
}

Key with_weight(const char* weight, Key key) {
  return keys::needs(std::move(key),
                     {std::string(kContrastivePrefix) + weight, "above 0", [](const std::string& value) {
                        double number = 0;
                        return keys::read_number(value, keys::kPositive, number);
                      }});
}

std::vector<Key> contrastive_key_list() {
  using C = ContrastiveConfig;
  constexpr int64_t kMostImages = 100'000, kMostOutputs = 1'000'000;
  constexpr keys::Interval kFactor{0, 1e6, true, false, "a number above 0 and at most 1000000"};
  constexpr keys::Interval kWeight{0, 1e6, false, false, "a number from 0 to 1000000"};
  constexpr keys::Interval kShape{1e-3, 1e6, false, false, "a number from 0.001 to 1000000"};
  std::vector<Key> all{
      keys::choice("head", &C::head, {"nt_xent", "prototypical", "r2d2"}, "which loss joins two views"),
      of_heads(keys::number("scale", &C::scale, kFactor, "of the cosines; 1 / SimCLR's temperature"),
               "nt_xent", [](const std::string& head) { return head == "nt_xent"; }),
      of_heads(
          keys::number("temperature", &C::temperature, kFactor, "by whose root unit vectors are divided"),
          "prototypical or r2d2", [](const std::string& head) { return head != "nt_xent"; }),
      of_heads(keys::number("lambda", &C::lambda, kFactor, "weight of the ridge penalty"), "r2d2",
               [](const std::string& head) { return head == "r2d2"; }),
      keys::whole("images", &C::images, 2, kMostImages, "of a mini-batch, each a class of its own"),
      keys::whole("projector", &C::projector, 0, kMostOutputs,
                  "outputs of the two layers behind the features in training, 0 = no such layers"),
      keys::number("turn", &C::turn, keys::kZeroToOne,
                   "probability that an image is turned by 0 to 3 quarters, both views alike"),
      keys::number("rotation_weight", &C::rotation_weight, kWeight,
                   "of the loss of telling how a view was turned"),
      with_weight("rotation_weight", keys::number("rotation_share", &C::rotation_share, keys::kAboveZeroToOne,
                                                  "of the views that loss is of")),
      keys::number("cutmix_weight", &C::cutmix_weight, kWeight, "of the loss on mixed queries"),
      with_weight("cutmix_weight", keys::number("cutmix_beta", &C::cutmix_beta, kShape,
                                                "a of their shares lambda ~ Beta(a, a)")),
      with_weight("cutmix_weight", keys::number("mixup", &C::mixup, keys::kZeroToOne,
                                                "probability that they are mixed linearly, not by a box")),
      keys::free(keys::spelled("nearest", &C::cosine, {{"cosine", true}, {"squared", false}},
                               "how a held-out task's class means are compared with"))};
  for (auto& key : keys::within("", &C::views, augmentation_keys("contrastive"))) all.push_back(key);
  return all;
}

const Keys<ContrastiveConfig>& contrastive_keys() {
  static const Keys<ContrastiveConfig> list(contrastive_key_list());
  return list;
}

// x [T, N, d] standardised over its N rows.
Tensor over_rows(const Tensor& x) {
  constexpr double kLeast = 1e-5;  // LibTorch's default
  const Tensor centred = x - x.mean(1, /*keepdim=*/true);
  return centred * torch::rsqrt(centred.square().mean(1, true) + kLeast);
}

class Contrastive : public FeatureClassifier {
 public:
  Contrastive(const ContrastiveConfig& config, const MethodContext& context)
      : FeatureClassifier("contrastive", context),
        config_(config),
        views_(config, context.dataset->spec()),
        features_(feature_width(context)) {}

  Params own_initial(Stream& stream) const override {
    const auto weights = [&](int64_t out, int64_t in) { return normal_weights(stream, {1, out, in}, 0.01); };
    const int64_t d = config_.projector;
    std::vector<Params::Entry> own;
    if (d > 0) {
      own.push_back({"projector1.weight", weights(features_, features_)});
      own.push_back({"projector1.factor", torch::ones({1, features_})});
      own.push_back({"projector1.shift", torch::zeros({1, features_})});
      own.push_back({"projector2.weight", weights(d, features_)});
      own.push_back({"projector2.factor", torch::ones({1, d})});
    }
    if (config_.rotation_weight > 0) {
      own.push_back({"rotation.weight", weights(4, d > 0 ? d : features_)});
      own.push_back({"rotation.bias", torch::zeros({1, 4})});
    }
    return Params(std::move(own));
  }

  Episodes draw(const TaskSource& source, const Moment& now, int64_t count) const override {
    return views_.draw(source, now, count);
  }

  Tensor loss(const Params& meta, const EpisodeTask& tasks, const Moment& now) const override {
    return head_loss(*head(tasks, meta, now), tasks.forward(Part::kBoth, meta, tasks.network()), meta);
  }

  std::unique_ptr<LossAt> loss_at(const Params& meta, const EpisodeTask& tasks,
                                  const Moment& now) const override {
    return tasks.loss_at(Part::kBoth, meta, head(tasks, meta, now));
  }

  Tensor scores(const FeatureSets& sets, const Params&) const override {
    if (!config_.cosine) return prototype_scores(sets);
    const Tensor member = torch::one_hot(sets.support_y, sets.ways).to(sets.support.scalar_type());
    const Tensor sums =
        member.transpose(1, 2).matmul(sets.support);  // as long as it likes: means' directions
    return unit_rows(sets.query).matmul(unit_rows(sums).transpose(1, 2));
  }

 private:
  Tensor projected(const Tensor& features, const Params& own) const {
    if (config_.projector == 0) return features;
    const auto row = [&](const char* name) { return own.at(name).unsqueeze(1); };
    const auto times = [&](const Tensor& x, const char* name) {
      return x.matmul(own.at(name).transpose(1, 2));
    };
    const Tensor first = over_rows(times(features, "projector1.weight"));
    const Tensor hidden = torch::relu(first * row("projector1.factor") + row("projector1.shift"));
    return over_rows(times(hidden, "projector2.weight")) * row("projector2.factor");
  }

  Tensor pair_loss(const Tensor& first, const Tensor& second) const {
    if (config_.head == "nt_xent") return nt_xent_loss(first, second, config_.scale);
    if (config_.head == "prototypical") return prototype_loss(first, second, config_.temperature);
    return ridge_loss(first, second, config_.temperature, config_.lambda);
  }

  // What was drawn for the tasks, once more: of its mixed queries the share lambda, [T]; the quarters of its
  // turned views, [T, views].
  struct Drawn {
    Tensor lambda, quarters;
  };
  Drawn drawn(const EpisodeTask& tasks, const Moment& now) const {
    std::vector<double> lambda;
    std::vector<int64_t> quarters;
    for (int64_t t = 0; t < tasks.size(); ++t) {
      if (views_.mixed() > 0) lambda.push_back(views_.mix(now, t).lambda);
      const auto turns = views_.turns(now, t);
      quarters.insert(quarters.end(), turns.begin(), turns.end());
    }
    return {torch::tensor(lambda, torch::kFloat64),
            torch::tensor(quarters, torch::kInt64).view({tasks.size(), views_.turned_views()})};
  }

  Tensor loss_of(const Tensor& features, const Params& own, const Drawn& drawn) const {
    const Tensor z = projected(features, own);
    const int64_t n = config_.images, again = views_.turned_views();
    const auto rows = [&](int64_t from, int64_t count) { return z.narrow(1, from, count); };
    const Tensor first = rows(0, n);
    Tensor out = pair_loss(first, rows(n, n));
    if (views_.mixed() > 0) {
      const Tensor mixed = rows(2 * n, n), lambda = drawn.lambda.to(z.scalar_type());
      out = out + config_.cutmix_weight *
                      (lambda * pair_loss(first, mixed) + (1 - lambda) * pair_loss(first, mixed.flip({1})));
    }
    if (again > 0) {
      const double root = std::sqrt(config_.head == "nt_xent" ? config_.scale : config_.temperature);
      const Tensor turned = unit_rows(rows(2 * n + views_.mixed(), again)) / root;
      const Tensor log_p =
          torch::log_softmax(linear(turned, own.at("rotation.weight"), own.at("rotation.bias")), 2);
      const Tensor right = log_p.gather(2, drawn.quarters.unsqueeze(2));
      out = out - config_.rotation_weight * right.mean({1, 2});
    }
    return out;
  }

  std::shared_ptr<const Head> head(const EpisodeTask& tasks, const Params& meta, const Moment& now) const {
    std::vector<std::string> reads;
    for (const auto& name : meta.names()) {
      if (name.rfind(kContrastivePrefix, 0) == 0) reads.push_back(name);
    }
    return make_head(
        [this, drawn = drawn(tasks, now)](const Tensor& features, const Params& own) {
          return loss_of(features, own.part(kContrastivePrefix), drawn);
        },
        std::move(reads));
  }

  ContrastiveConfig config_;
  ContrastiveViews views_;
  int64_t features_;
};

}  // namespace

Algorithm contrastive() {
  return {.name = "contrastive",
          .paper = "Ni et al. 2022",
          .summary = "every image a class of its own, two views of it support and query; no labels",
          .prescribes = {{"inner.steps", "0"}},
          .keys = contrastive_keys().list(),
          .method = [](const Texts& own, const MethodContext& context) -> std::unique_ptr<Method> {
            return std::make_unique<Contrastive>(
                contrastive_keys().read(own, "algorithm contrastive", "contrastive"), context);
          }};
}

}  // namespace innerloop
