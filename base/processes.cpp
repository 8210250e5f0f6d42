#include "base/processes.h"

#include <algorithm>
#include <cstdlib>

#include "base/error.h"

namespace innerloop {
namespace {

class SingleProcess : public Processes {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  int64_t least(int64_t mine) override { return mine; }
  std::vector<std::string> gather(const std::string& mine) override { return {mine}; }
  void broadcast(std::string&, int) override {}
  void broadcast(void*, size_t, int) override {}
  void send(const void*, size_t, int to) override { refuse(to); }
  void receive(void*, size_t, int from) override { refuse(from); }
  int64_t traffic() const override { return 0; }
  void stop_all(int exit_code) override { std::_Exit(exit_code); }

 private:
  static void refuse(int rank) { throw Error(concat("rank ", rank, " asked of a single process")); }
};

}  // namespace

Share share_of(int64_t count, int rank, int size) {
  const auto begin = [&](int64_t r) { return r * (count / size) + std::min(r, count % size); };
  return {begin(rank), begin(rank + 1)};
}

Processes& single_process() {
  static SingleProcess process;
  return process;
}

void require_same_everywhere(Processes& processes, const std::string& what, const std::string& mine) {
  const auto all = processes.gather(mine);
  for (size_t rank = 1; rank < all.size(); ++rank) {
    require(all[rank] == all.front(), what, " differs between rank 0 and rank ", rank, ": ",
            shortened(all.front()), " and ", shortened(all[rank]));
  }
}

}  // namespace innerloop
