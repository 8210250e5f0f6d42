#include "runners/experiment/run_progress.h"

#include <utility>

#include "base/error.h"

namespace innerloop {
namespace {

std::vector<std::string> names_of_columns(const std::vector<ProgressColumn>& columns) {
  std::vector<std::string> names;
  for (const auto& column : columns) names.push_back(column.name);
  return names;
}

double as_double(const ProgressNumber& number) {
  return std::visit([](auto value) { return static_cast<double>(value); }, number);
}

}  // namespace

RunProgress::RunProgress(const RunDirectory& directory, std::vector<ProgressColumn> columns, bool tensorboard)
    : columns_(std::move(columns)), table_(directory.progress(), names_of_columns(columns_)) {
  if (tensorboard) events_.emplace(directory.tensorboard());
}

int64_t RunProgress::open(int64_t iteration) {
  const int64_t rows = table_.open(iteration);
  if (events_) events_->open(iteration);
  open_ = true;
  return rows;
}

void RunProgress::append(int64_t iteration, const ProgressRow& row) {
  if (!open_) return;
  require(row.numbers.size() == columns_.size(), "a row of progress has ", row.numbers.size(),
          " numbers, expected ", columns_.size());
  table_.append(iteration, row.numbers);
  if (!events_) return;
  ProgressNews news{.per_task = row.per_task};
  for (size_t i = 0; i < columns_.size(); ++i)
    news.scalars.push_back({columns_[i].tag, as_double(row.numbers[i])});
  events_->append(iteration, news);
}

void RunProgress::tell(int64_t iteration, const ProgressNews& news) {
  if (open_ && events_ && !news.empty()) events_->append(iteration, news);
}

void RunProgress::sync() {
  if (!open_) return;
  table_.sync();
  if (events_) events_->sync();
}

}  // namespace innerloop
