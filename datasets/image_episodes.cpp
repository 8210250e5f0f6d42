#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/permutation.h"
#include "datasets/checks.h"
#include "datasets/hash.h"
#include "datasets/image_store.h"
#include "datasets/names.h"
#include "datasets/pixel_values.h"

namespace innerloop {
namespace {

class ImageEpisodes : public Dataset, public Domains {
 public:
  ImageEpisodes(DatasetSpec spec, ImageStore store, const std::vector<double>& mean,
                const std::vector<double>& std)
      : spec_(std::move(spec)), store_(std::move(store)) {
    spec_.input = {store_.channels, store_.height, store_.width};
    spec_.classification = true;
    require_sound_store();
    group_classes();
    table_ = pixel_values(store_.channels, mean, std, spec_.name);
    single_table_.assign(table_.begin(), table_.end());
    spec_.black = spec_.white = {};
    for (size_t i = 0; i < table_.size(); i += 256) {
      spec_.black.push_back(table_[i]);
      spec_.white.push_back(table_[i + 255]);
    }
  }

  const DatasetSpec& spec() const override { return spec_; }

  void check(Split split, const EpisodeShape& shape) const override {
    require_shape(spec_, shape);
    require_enough(split, shape, concat("the ", split_name(split), " split"), everything(split),
                   smallest_[static_cast<size_t>(split)]);
    const auto& groups = groups_[static_cast<size_t>(split)];
    const size_t most = groups.empty() ? store_.of(split).size() : groups.back().size();
    require_usage(static_cast<int64_t>(most) >= shape.ways, spec_.name,
                  ": a task's classes are of one group, and the largest of the ", split_name(split),
                  " split has ", most, " classes; a task of ", shape.ways, " ways needs ", shape.ways);
  }

  void draw(Split split, const EpisodeShape& shape, Stream& stream, Episodes& episodes,
            int64_t t) const override {
    check(split, shape);
    draw_samples(split, shape, choose(everything(split), split, shape, stream), episodes, t);
  }

  const std::vector<Domain>& domains(Split split) const override {
    return store_.domains[static_cast<size_t>(split)];
  }

  void check_domain(Split split, int64_t domain, const EpisodeShape& shape) const override {
    require_shape(spec_, shape);
    const Domain& of = domain_at(split, domain);
    const auto& classes = store_.of(split);
    const auto first = classes.begin() + of.first;
    const auto smallest = std::min_element(first, first + of.count,
                                           [](const auto& a, const auto& b) { return a.count < b.count; });
    require_enough(split, shape, concat("the domain ", of.name), of,
                   static_cast<size_t>(smallest - classes.begin()));
  }

  std::vector<int64_t> draw_within(Split split, int64_t domain, const EpisodeShape& shape, Stream& stream,
                                   Episodes& episodes, int64_t t) const override {
    check_domain(split, domain, shape);
    TaskSamples task = choose(domain_at(split, domain), split, shape, stream);
    draw_samples(split, shape, task, episodes, t);
    return std::move(task.classes);
  }

  std::vector<int64_t> drawn_classes(Split split, const EpisodeShape& shape, Stream& stream) const override {
    check(split, shape);
    return choose(everything(split), split, shape, stream).classes;
  }

  std::vector<TaskSamples> disjoint_tasks(Split split, const EpisodeShape& shape, int64_t most,
                                          Stream& stream) const override {
    check(split, shape);
    require_usage(
        groups_[static_cast<size_t>(split)].empty() && !store_.common_places, spec_.name,
        ": tasks within one group of classes or of common drawers are drawn with replacement alone; "
        "evaluation.replacement = true");
    std::vector<bool> taken(static_cast<size_t>(store_.images()));  // by the image that others are copies of
    std::vector<TaskSamples> tasks;
    while (static_cast<int64_t>(tasks.size()) < most) {
      auto task = choose_untaken(split, shape, stream, taken);
      if (!task) break;
      tasks.push_back(std::move(*task));
    }
    return tasks;
  }

  void draw_samples(Split split, const EpisodeShape& shape, const TaskSamples& task, Episodes& episodes,
                    int64_t t) const override {
    require_slice(spec_, shape, episodes, t);
    require(task.classes.size() == static_cast<size_t>(shape.ways) &&
                task.turns.size() == task.classes.size() &&
                task.samples.size() == static_cast<size_t>(shape.ways * (shape.shots + shape.queries)),
            spec_.name, ": a task of ", task.classes.size(), " classes and ", task.samples.size(),
            " samples is not of the shape asked for");
    if (episodes.support_x.scalar_type() == torch::kFloat32) {
      fill<float>(split, shape, task, episodes, t, single_table_.data());
    } else {
      fill<double>(split, shape, task, episodes, t, table_.data());
    }
  }

  int64_t classes(Split split) const override { return static_cast<int64_t>(store_.of(split).size()); }

  int64_t samples_per_class(Split split) const override {
    return store_.of(split).empty() ? 0 : store_.of(split)[smallest_[static_cast<size_t>(split)]].count;
  }

  std::vector<std::string> class_names(Split split) const override {
    std::vector<std::string> names;
    for (const auto& c : store_.of(split)) names.push_back(printable(c.name));
    return names;
  }

  std::string digest() const override {
    if (store_.encoded == 0) return "";
    Hash hash;
    hash.add(store_.encoded);
    for (const auto& classes : store_.classes) {
      hash.add(classes.size());
      for (const auto& c : classes) {
        hash.add(normal_form(c.name)).add(static_cast<uint64_t>(c.first)).add(static_cast<uint64_t>(c.count));
      }
    }
    return hash.hex();
  }

  Labelled draw_labelled(Split split, int64_t samples, Stream& stream,
                         torch::ScalarType dtype) const override {
    Labelled out{torch::empty({1, samples, store_.channels, store_.height, store_.width}, dtype),
                 torch::empty({1, samples}, torch::kInt64)};
    const auto fill = [&](auto* x, const auto* table) {
      for (int64_t i = 0; i < samples; ++i, x += store_.image_bytes()) {
        const uint64_t label = stream.below(store_.of(split).size());
        const auto& chosen = store_.of(split)[label];
        require(chosen.count > 0, spec_.name, ": class ", chosen.name, " has no images");
        const uint64_t turns = draw_turns(split, stream);
        const auto image = static_cast<int64_t>(stream.below(static_cast<uint64_t>(chosen.count)));
        convert(store_.image(chosen.first + image), turns, table, x);
        out.y.data_ptr<int64_t>()[i] = static_cast<int64_t>(label);
      }
    };
    if (dtype == torch::kFloat64) {
      fill(out.x.data_ptr<double>(), table_.data());
    } else {
      fill(out.x.data_ptr<float>(), single_table_.data());
    }
    return out;
  }

 private:
  // A caller's mistake here would read beyond the images.
  void require_sound_store() {
    require(store_.channels > 0 && store_.height > 0 && store_.width > 0, spec_.name, ": images of no size");
    for (const auto split : {Split::kTrain, Split::kValidation, Split::kTest}) {
      const auto s = static_cast<size_t>(split);
      require(!store_.rotate[s] || store_.height == store_.width, spec_.name,
              ": only square images can be turned, these are ", store_.height, " x ", store_.width);
      const size_t grouped = store_.groups[s].size();
      require(grouped == 0 || grouped == store_.of(split).size(), spec_.name, ": groups of ", grouped,
              " classes, the ", split_name(split), " split has ", store_.of(split).size());
      for (size_t i = 0; i < store_.of(split).size(); ++i) {
        const auto& c = store_.of(split)[i];
        require(!store_.common_places || c.count == store_.of(split)[0].count, spec_.name, ": class ", c.name,
                " has ", c.count, " images and class ", store_.of(split)[0].name, " has ",
                store_.of(split)[0].count, "; tasks of common drawers need as many of every class");
        for (const int64_t first : {c.first, c.origin()}) {
          require(first >= 0 && c.count >= 0 && first + c.count <= store_.images(), spec_.name, ": class ",
                  c.name, " has images ", first, " to ", first + c.count - 1, " of ", store_.images());
        }
        if (c.count < store_.of(split)[smallest_[s]].count) smallest_[s] = i;
      }
      int64_t next = 0;
      for (const auto& domain : store_.domains[s]) {
        require(domain.first == next && domain.count > 0, spec_.name, ": domain ", domain.name,
                " has classes ", domain.first, " to ", domain.first + domain.count - 1, ", expected from ",
                next, " on");
        next += domain.count;
      }
      require(store_.domains[s].empty() || next == classes(split), spec_.name, ": the domains of the ",
              split_name(split), " split have ", next, " classes of ", classes(split));
    }
  }

  // The smallest group first.
  void group_classes() {
    for (size_t s = 0; s < store_.groups.size(); ++s) {
      std::map<int64_t, std::vector<int64_t>> members;
      for (size_t i = 0; i < store_.groups[s].size(); ++i) {
        members[store_.groups[s][i]].push_back(static_cast<int64_t>(i));
      }
      for (auto& [group, classes] : members) groups_[s].push_back(std::move(classes));
      std::stable_sort(groups_[s].begin(), groups_[s].end(),
                       [](const auto& a, const auto& b) { return a.size() < b.size(); });
    }
  }

  // The classes that a task of so many ways may have, by their place in the split; empty: all of them.
  const std::vector<int64_t>& choose_group(Split split, int64_t ways, Stream& stream) const {
    static const std::vector<int64_t> all;
    const auto& groups = groups_[static_cast<size_t>(split)];
    if (groups.empty()) return all;
    const auto first = std::find_if(groups.begin(), groups.end(), [ways](const auto& group) {
      return static_cast<int64_t>(group.size()) >= ways;
    });
    return first[static_cast<std::ptrdiff_t>(stream.below(static_cast<uint64_t>(groups.end() - first)))];
  }

  // All classes of the split.
  Domain everything(Split split) const { return {"", 0, classes(split)}; }

  const Domain& domain_at(Split split, int64_t domain) const {
    const auto& known = domains(split);
    require(domain >= 0 && domain < static_cast<int64_t>(known.size()), spec_.name, ": there is no domain ",
            domain, " in the ", split_name(split), " split, which has ", known.size());
    return known[static_cast<size_t>(domain)];
  }

  void require_enough(Split split, const EpisodeShape& shape, const std::string& where, const Domain& among,
                      size_t smallest) const {
    require_usage(among.count >= shape.ways, spec_.name, ": ", where, " has ", among.count,
                  " classes, a task of ", shape.ways, " ways needs ", shape.ways,
                  ". The data: ", spec_.protocol);
    const auto& fewest = store_.of(split)[smallest];
    const int64_t needed = shape.shots + shape.queries;
    require_usage(fewest.count >= needed, spec_.name, ": class ", fewest.name, " of ", where, " has ",
                  fewest.count, " images, a task of ", shape.shots, " shots and ", shape.queries,
                  " queries needs ", needed, " of every class");
  }

  uint64_t draw_turns(Split split, Stream& stream) const {
    return store_.rotate[static_cast<size_t>(split)] ? stream.below(4) : 0;
  }

  // A task of these classes.
  TaskSamples choose(const Domain& among, Split split, const EpisodeShape& shape, Stream& stream) const {
    const auto& classes = store_.of(split);
    static const std::vector<int64_t> kNone;
    const auto& group = among.name.empty() ? choose_group(split, shape.ways, stream) : kNone;
    const int64_t needed = shape.shots + shape.queries;
    TaskSamples task;
    std::vector<int64_t> places;
    Permutation class_choice(group.empty() ? among.count : static_cast<int64_t>(group.size()), stream);
    if (store_.common_places) {
      Permutation drawers(classes[0].count, stream);
      for (int64_t i = 0; i < needed; ++i) places.push_back(drawers.next());
    }
    for (int64_t label = 0; label < shape.ways; ++label) {
      const int64_t next = class_choice.next();
      task.classes.push_back(group.empty() ? among.first + next : group[static_cast<size_t>(next)]);
      task.turns.push_back(static_cast<int64_t>(draw_turns(split, stream)));
      task.samples.insert(task.samples.end(), places.begin(), places.end());
      if (!places.empty()) continue;
      Permutation images(classes[static_cast<size_t>(task.classes.back())].count, stream);
      for (int64_t i = 0; i < needed; ++i) task.samples.push_back(images.next());
    }
    return task;
  }

  // The same of images that are not taken yet, and takes them; nothing if too few classes have enough left.
  std::optional<TaskSamples> choose_untaken(Split split, const EpisodeShape& shape, Stream& stream,
                                            std::vector<bool>& taken) const {
    const auto& classes = store_.of(split);
    const int64_t needed = shape.shots + shape.queries;
    TaskSamples task;
    Permutation class_choice(static_cast<int64_t>(classes.size()), stream);
    for (size_t i = 0; i < classes.size() && static_cast<int64_t>(task.classes.size()) < shape.ways; ++i) {
      const int64_t in_split = class_choice.next();
      const auto& candidate = classes[static_cast<size_t>(in_split)];
      std::vector<int64_t> left;
      for (int64_t image = 0; image < candidate.count; ++image) {
        if (!taken[static_cast<size_t>(candidate.origin() + image)]) left.push_back(image);
      }
      if (static_cast<int64_t>(left.size()) < needed) continue;
      task.classes.push_back(in_split);
      task.turns.push_back(static_cast<int64_t>(draw_turns(split, stream)));
      Permutation images(static_cast<int64_t>(left.size()), stream);
      for (int64_t k = 0; k < needed; ++k) {
        task.samples.push_back(left[static_cast<size_t>(images.next())]);
        taken[static_cast<size_t>(candidate.origin() + task.samples.back())] = true;
      }
    }
    if (static_cast<int64_t>(task.classes.size()) < shape.ways) return std::nullopt;
    return task;
  }

  template <class T>
  void fill(Split split, const EpisodeShape& shape, const TaskSamples& task, Episodes& episodes, int64_t t,
            const T* table) const {
    const int64_t size = store_.image_bytes();
    T* support_x = episodes.support_x.data_ptr<T>() + t * shape.ways * shape.shots * size;
    T* query_x = episodes.query_x.data_ptr<T>() + t * shape.ways * shape.queries * size;
    int64_t* support_y = episodes.support_y.data_ptr<int64_t>() + t * shape.ways * shape.shots;
    int64_t* query_y = episodes.query_y.data_ptr<int64_t>() + t * shape.ways * shape.queries;
    const int64_t* sample = task.samples.data();
    for (int64_t label = 0; label < shape.ways; ++label) {
      const auto& shown = store_.of(split)[static_cast<size_t>(task.classes[static_cast<size_t>(label)])];
      const auto turns = static_cast<uint64_t>(task.turns[static_cast<size_t>(label)]);
      for (int64_t place = 0; place < shape.shots + shape.queries; ++place) {
        const bool support = place < shape.shots;
        T*& x = support ? support_x : query_x;
        int64_t*& y = support ? support_y : query_y;
        convert(store_.image(shown.first + *sample++), turns, table, x);
        x += size;
        *y++ = label;
      }
    }
  }

  // Turned counter-clockwise by quarter turns.
  template <class T>
  void convert(const uint8_t* from, uint64_t turns, const T* table, T* to) const {
    const int64_t height = store_.height, width = store_.width, area = height * width;
    for (int64_t channel = 0; channel < store_.channels; ++channel, from += area, to += area, table += 256) {
      if (turns == 0) {
        for (int64_t i = 0; i < area; ++i) to[i] = table[from[i]];
        continue;
      }
      // Where the pixel right of, and the pixel below, a turned image's pixel lie in the image.
      const int64_t right = turns == 1 ? width : turns == 2 ? -1 : -width;
      const int64_t below = turns == 1 ? -1 : turns == 2 ? -width : 1;
      const uint8_t* row = from + (turns == 1 ? width - 1 : turns == 2 ? area - 1 : area - width);
      T* out = to;
      for (int64_t r = 0; r < height; ++r, row += below) {
        for (int64_t c = 0; c < width; ++c) *out++ = table[row[c * right]];
      }
    }
  }

  DatasetSpec spec_;
  ImageStore store_;
  std::array<size_t, 3> smallest_{0, 0, 0};  // index of the class with the fewest images, by Split
  std::array<std::vector<std::vector<int64_t>>, 3> groups_;  // by Split, classes by their place in it
  std::vector<double> table_;                                // [channels][256]: what a byte enters as
  std::vector<float> single_table_;
};

}  // namespace

std::vector<Domain> domains_by_name(const std::vector<ImageClass>& classes) {
  std::vector<Domain> out;
  for (size_t i = 0; i < classes.size(); ++i) {
    auto name = printable(classes[i].name.substr(0, classes[i].name.find('/')));
    if (out.empty() || out.back().name != name) out.push_back({std::move(name), static_cast<int64_t>(i), 0});
    ++out.back().count;
  }
  return out;
}

std::unique_ptr<Dataset> make_image_episodes(DatasetSpec spec, ImageStore store, std::vector<double> mean,
                                             std::vector<double> std) {
  return std::make_unique<ImageEpisodes>(std::move(spec), std::move(store), mean, std);
}

}  // namespace innerloop
