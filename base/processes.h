// The processes that do one work together: the same program with the same request, on one machine or several,
// ranks 0 to size - 1. Whoever needs no more than one passes nothing: the default is a single process.
//
// What several processes compute has the bits of one, because of two rules. Work is cut into items whose
// number depends on the request alone, and each rank takes a run of consecutive ones (`share_of`). What they
// give is put together in the order of the items, never in the order of arrival.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace innerloop {

// Items first, ..., last - 1.
struct Share {
  int64_t first = 0, last = 0;

  int64_t size() const { return last - first; }
};

// The items of `rank`: runs in the order of the ranks, the first ones longer by one where they cannot be
// equal; none for the last ranks if there are more ranks than items.
Share share_of(int64_t count, int rank, int size);

// Every call but rank, size, first, traffic and stop_all is made by all ranks, in the same order, and from
// one thread. If a rank has died, none of them returns: whoever started the processes ends the others.
class Processes {
 public:
  virtual ~Processes() = default;

  virtual int rank() const = 0;
  virtual int size() const = 0;
  bool first() const { return rank() == 0; }  // the one that writes files and prints

  virtual int64_t least(int64_t mine) = 0;  // of all ranks

  // What every rank has, in their order, at every rank.
  virtual std::vector<std::string> gather(const std::string& mine) = 0;

  // The bytes of rank `from`, at every rank; the second form where all know the number.
  virtual void broadcast(std::string& bytes, int from) = 0;
  virtual void broadcast(void* bytes, size_t count, int from) = 0;

  // From this rank to another one, which asks for as many bytes.
  virtual void send(const void* bytes, size_t count, int to) = 0;
  virtual void receive(void* bytes, size_t count, int from) = 0;

  // Bytes that this rank gave to the calls above. A broadcast counts once, however it is spread.
  virtual int64_t traffic() const = 0;

  // Ends all ranks now, with this exit code.
  [[noreturn]] virtual void stop_all(int exit_code) = 0;
};

Processes& single_process();

// Error at every rank unless all ranks have the same: says `what`, the first rank that differs, and both
// texts.
void require_same_everywhere(Processes& processes, const std::string& what, const std::string& mine);

}  // namespace innerloop
