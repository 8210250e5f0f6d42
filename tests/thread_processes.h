// Processes that are threads of a test: what they say to each other crosses a blackboard under one lock.
#pragma once

#include <condition_variable>
#include <cstring>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/processes.h"

namespace innerloop {

class ThreadProcesses {
 public:
  // f(processes) in `size` ranks at once; returns what each returned. The exception of the lowest rank that
  // threw is rethrown, if all did or the others could go on.
  template <class F>
  static auto run(int size, F f) {
    using Result = decltype(f(std::declval<Processes&>()));
    Board board{.size = size};
    std::vector<Result> results(static_cast<size_t>(size));
    std::vector<std::exception_ptr> failures(static_cast<size_t>(size));
    std::vector<std::thread> threads;
    for (int rank = 0; rank < size; ++rank) {
      threads.emplace_back([&, rank] {
        Rank here(board, rank);
        try {
          results[static_cast<size_t>(rank)] = f(here);
        } catch (...) {
          failures[static_cast<size_t>(rank)] = std::current_exception();
        }
      });
    }
    for (auto& thread : threads) thread.join();
    for (const auto& failure : failures) {
      if (failure) std::rethrow_exception(failure);
    }
    return results;
  }

 private:
  struct Board {
    int size;
    std::mutex mutex = {};
    std::condition_variable changed = {};
    std::map<std::pair<int, int>, std::deque<std::string>> letters = {};  // from, to
  };

  class Rank : public Processes {
   public:
    Rank(Board& board, int rank) : board_(board), rank_(rank) {}

    int rank() const override { return rank_; }
    int size() const override { return board_.size; }

    int64_t least(int64_t mine) override {
      int64_t found = mine;
      for (const auto& other : gather(std::to_string(mine)))
        found = std::min<int64_t>(found, std::stoll(other));
      return found;
    }

    std::vector<std::string> gather(const std::string& mine) override {
      for (int to = 0; to < size(); ++to) post(mine, to);
      std::vector<std::string> all;
      for (int from = 0; from < size(); ++from) all.push_back(take(from));
      return all;
    }

    void broadcast(std::string& bytes, int from) override {
      if (rank_ == from) {
        for (int to = 0; to < size(); ++to) post(bytes, to);
      }
      bytes = take(from);
    }

    void broadcast(void* bytes, size_t count, int from) override {
      std::string text(static_cast<const char*>(bytes), count);
      broadcast(text, from);
      require(text.size() == count, "broadcast of ", text.size(), " bytes, expected ", count);
      std::memcpy(bytes, text.data(), count);
    }

    void send(const void* bytes, size_t count, int to) override {
      traffic_ += static_cast<int64_t>(count);
      post({static_cast<const char*>(bytes), count}, to);
    }

    void receive(void* bytes, size_t count, int from) override {
      const std::string text = take(from);
      require(text.size() == count, "received ", text.size(), " bytes, expected ", count);
      std::memcpy(bytes, text.data(), count);
    }

    int64_t traffic() const override { return traffic_; }
    void stop_all(int) override { std::abort(); }

   private:
    void post(const std::string& bytes, int to) {
      const std::lock_guard lock(board_.mutex);
      board_.letters[{rank_, to}].push_back(bytes);
      board_.changed.notify_all();
    }

    std::string take(int from) {
      std::unique_lock lock(board_.mutex);
      auto& letters = board_.letters[{from, rank_}];
      board_.changed.wait(lock, [&] { return !letters.empty(); });
      std::string first = std::move(letters.front());
      letters.pop_front();
      return first;
    }

    Board& board_;
    int rank_;
    int64_t traffic_ = 0;
  };
};

}  // namespace innerloop
