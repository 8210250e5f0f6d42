// The memory of a memory-augmented network with least recently used access (Santoro et al., ICML 2016,
// section 3), and the derivative of one access. Equations: meta/algorithms/mann.h. No torch; float32 and
// float64.
#pragma once

#include <cstdint>

namespace innerloop {

struct MannConfig {
  int64_t hidden = 200;  // of the LSTM
  int64_t slots = 128;   // rows of the memory
  int64_t size = 40;     // numbers of a row
  int64_t reads = 4;     // R
  double usage_decay = 0.95;
  double key_strength = 1;  // beta, times the cosines
  bool write_vector = false;
  bool controller_gate = false;
  bool one_each = false;
  bool read_before = false;
};

// Of one sequence, in memory that is the caller's.
template <class T>
struct MannMemory {
  T* rows;  // M, [size][slots]
  T* read;  // w^r, [reads][slots]
  T* used;  // w^u, [slots]
};

template <class T>
struct MannAccess {
  const T* keys;     // [reads][size]
  const T* written;  // [reads][size]: the keys, or vectors of their own
  const T* gate;     // sigma(alpha), [reads]
};

// What an access found on its way, for its derivative.
template <class T>
struct MannTrace {
  T* write;        // w^w, [reads][slots]
  T* cosines;      // of keys and rows, [reads][slots]
  int64_t* least;  // the rows of least usage before it, the least used first, [reads]
};

// vectors [reads][size]: what is read.
template <class T>
void mann_access(const MannConfig& config, MannMemory<const T> before, MannAccess<T> access,
                 MannMemory<T> after, MannTrace<T> trace, T* vectors);

// Derivatives of a loss. d_rows [size][slots] and d_read [reads][slots]: in those of `after`, replaced by
// those of `before`. d_vectors [reads][size] is given; d_keys, d_written [reads][size] and d_gate [reads] are
// found. The usage of rows counts as constant.
template <class T>
void mann_access_gradient(const MannConfig& config, MannMemory<const T> before, MannAccess<T> access,
                          MannMemory<const T> after, MannTrace<const T> trace, const T* d_vectors, T* d_rows,
                          T* d_read, T* d_keys, T* d_written, T* d_gate);

}  // namespace innerloop
