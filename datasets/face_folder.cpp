#include "datasets/face_folder.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/error.h"
#include "datasets/archive.h"
#include "datasets/image_files.h"
#include "datasets/image_reader.h"
#include "datasets/names.h"

namespace innerloop {
namespace {

constexpr char kFacesOrigin[] =
    "face_folder reads images of your own from a folder or an archive (zip, tar, tar.gz): "
    "DOMAIN/IDENTITY/FILE, two domains or more with two identities or more, two images or more of each. "
    "Images without domains are read by image_folder.";

// By normal_form of the domain and of the identity.
struct FoundDomain {
  std::string name;
  ClassMap identities;
};
using FoundDomains = std::map<std::string, FoundDomain>;

struct Faces {
  FoundDomains domains;
  std::vector<std::string> elsewhere, alone;  // images in no such folders; identities of one image
};

// How many folders stand around all domains.
size_t folders_around(const std::vector<std::vector<std::string>>& paths) {
  size_t depth = 0;
  const auto inside = [&](const auto& parts) {
    return parts.size() > depth + 3 && parts[depth] == paths.front()[depth];
  };
  while (std::all_of(paths.begin(), paths.end(), inside)) ++depth;
  return depth;
}

Faces find_faces(const Contents& contents) {
  std::vector<std::vector<std::string>> paths;
  for (const auto& image : contents.images) paths.push_back(parts_of(image));
  const size_t depth = folders_around(paths);
  Faces out;
  for (size_t i = 0; i < paths.size(); ++i) {
    if (paths[i].size() < depth + 3) {
      out.elsewhere.push_back(contents.images[i]);
      continue;
    }
    const auto &domain = paths[i][depth], &identity = paths[i][depth + 1];
    auto& found = out.domains[normal_form(domain)];
    if (found.name.empty()) found.name = domain;
    auto& person = found.identities[normal_form(identity)];
    if (person.name.empty()) person.name = found.name + "/" + identity;
    person.files.push_back(contents.images[i]);
  }
  const auto source = printable(contents.source.string());
  require(!out.domains.empty(), "face_folder: ", source, " has no domains: ",
          entry_name(contents.source, out.elsewhere.empty() ? "" : out.elsewhere.front()),
          " does not lie in a folder DOMAIN/IDENTITY.\n", kFacesOrigin);
  for (auto& [form, domain] : out.domains) {
    std::erase_if(domain.identities, [&](const auto& person) {
      const bool too_few = person.second.files.size() < 2;
      if (too_few) out.alone.push_back(person.second.name);
      return too_few;
    });
    require(domain.identities.size() >= 2, "face_folder: the domain ", in_quotes(domain.name), " of ", source,
            " has ", domain.identities.size(), " identities with two images or more, expected 2 or more.\n",
            kFacesOrigin);
  }
  require(out.domains.size() >= 2, "face_folder: ", source, " has one domain, ",
          in_quotes(out.domains.begin()->second.name),
          ", expected two or more: those of training, and one never trained on.\n", kFacesOrigin);
  return out;
}

}  // namespace

std::unique_ptr<Dataset> make_face_folder(const FaceFolderSettings& settings) {
  const auto contents =
      find_images(find_data("face_folder", settings.path, "", kFacesOrigin), "face_folder", kFacesOrigin);
  Faces faces = find_faces(contents);
  std::vector<std::string> names;
  for (const auto& [form, domain] : faces.domains) names.push_back(domain.name);
  const auto splits = split_domains(names, settings.domains, "face_folder");
  Layout layout;
  size_t d = 0;
  for (auto& [form, domain] : faces.domains) {
    auto& classes = layout.classes[static_cast<size_t>(splits[d++])];
    for (auto& [identity, person] : domain.identities)
      classes.emplace(form + "/" + identity, std::move(person));
  }
  const bool crop = settings.crop == "center";
  auto [store, damaged] = store_images(contents, layout,
                                       {.size = settings.image_size,
                                        .crop = crop,
                                        .upright = settings.exif,
                                        .skip_damaged = settings.skip_damaged},
                                       "face_folder");
  for (size_t split = 0; split < store.classes.size(); ++split)
    store.domains[split] = domains_by_name(store.classes[split]);
  DatasetSpec spec{.name = "face_folder", .description = kFaceFolderDescription};
  spec.protocol = concat(
      printable(contents.source.filename().string()), ", domains: ", describe_domains(names, splits), "; ",
      describe_splits(store), "; ", store.height, " x ", store.width, store.channels == 1 ? " grey" : " RGB",
      ", other sizes resized by Lanczos",
      crop ? " to their shorter side and cut to the middle" : " and stretched",
      settings.exif ? ", upright by Exif; " : ", Exif orientation ignored; ",
      describe_normalisation(settings.mean, settings.std),
      left_out(faces.alone, "identities of one image left out"), left_out(damaged, "damaged images left out"),
      left_out(faces.elsewhere, "images in no DOMAIN/IDENTITY folder ignored"),
      left_out(contents.others, "other files ignored"), left_out(contents.skipped, "links not followed"));
  return make_image_episodes(std::move(spec), std::move(store), settings.mean, settings.std);
}

}  // namespace innerloop
