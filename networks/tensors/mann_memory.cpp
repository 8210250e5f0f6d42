#include "networks/tensors/mann_memory.h"

#include <Eigen/Core>
#include <algorithm>
#include <numeric>
#include <vector>

namespace innerloop {
namespace {

// Column-major: a column is what is contiguous above.
template <class T>
using MannMatrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
template <class T>
using MannVector = Eigen::Matrix<T, Eigen::Dynamic, 1>;
template <class T>
using MannConst = Eigen::Map<const MannMatrix<T>>;
template <class T>
using MannMap = Eigen::Map<MannMatrix<T>>;

constexpr double kMannTiny = 1e-20;  // finite derivatives at a row of zeros

// The `count` rows of least usage, the least used first; rows of equal usage in their order.
template <class T>
void mann_least_used(const T* used, int64_t slots, int64_t count, int64_t* least) {
  std::vector<int64_t> order(static_cast<size_t>(slots));
  std::iota(order.begin(), order.end(), 0);
  std::partial_sort(order.begin(), order.begin() + count, order.end(),
                    [used](int64_t i, int64_t j) { return used[i] != used[j] ? used[i] < used[j] : i < j; });
  std::copy_n(order.begin(), count, least);
}

// Of rows, or of columns: 1 / length.
template <class T>
MannVector<T> mann_scales(const MannConst<T>& rows) {
  return (rows.rowwise().squaredNorm().array() + T(kMannTiny)).rsqrt();
}
template <class T>
MannMatrix<T> mann_directions(const MannConst<T>& keys) {
  MannMatrix<T> out = keys;
  for (int64_t r = 0; r < out.cols(); ++r) out.col(r) /= std::sqrt(out.col(r).squaredNorm() + T(kMannTiny));
  return out;
}

// Which rows read r writes to beside those it has read: all R of least usage, or the r-th of them.
template <class Visit>
void mann_spots(const MannConfig& config, const int64_t* least, int64_t r, const Visit& visit) {
  if (config.one_each) return visit(least[r]);
  std::for_each_n(least, config.reads, visit);
}

}  // namespace

template <class T>
void mann_access(const MannConfig& config, MannMemory<const T> before, MannAccess<T> access,
                 MannMemory<T> after, MannTrace<T> trace, T* vectors) {
  const int64_t slots = config.slots, size = config.size, reads = config.reads;
  const MannConst<T> old_rows(before.rows, slots, size), old_read(before.read, slots, reads);
  const MannConst<T> keys(access.keys, size, reads), written(access.written, size, reads);
  MannMap<T> rows(after.rows, slots, size), read(after.read, slots, reads), used(after.used, slots, 1);
  MannMap<T> write(trace.write, slots, reads), cosines(trace.cosines, slots, reads);

  mann_least_used(before.used, slots, reads, trace.least);
  for (int64_t r = 0; r < reads; ++r) {
    const T gate = access.gate[r];
    write.col(r) = gate * old_read.col(r);
    mann_spots(config, trace.least, r, [&](int64_t row) { write(row, r) += 1 - gate; });
  }
  rows = old_rows;
  rows.row(trace.least[0]).setZero();
  rows.noalias() += write * written.transpose();

  const MannConst<T> content(config.read_before ? before.rows : after.rows, slots, size);
  cosines.noalias() = content * mann_directions<T>(keys);
  cosines.array().colwise() *= mann_scales<T>(content).array();
  for (int64_t r = 0; r < reads; ++r) {
    read.col(r) = (T(config.key_strength) * (cosines.col(r).array() - cosines.col(r).maxCoeff())).exp();
    read.col(r) /= read.col(r).sum();
  }
  used = T(config.usage_decay) * MannConst<T>(before.used, slots, 1) + read.rowwise().sum() +
         write.rowwise().sum();
  MannMap<T>(vectors, size, reads).noalias() = content.transpose() * read;
}

template <class T>
void mann_access_gradient(const MannConfig& config, MannMemory<const T> before, MannAccess<T> access,
                          MannMemory<const T> after, MannTrace<const T> trace, const T* d_vectors_at,
                          T* d_rows_at, T* d_read_at, T* d_keys_at, T* d_written_at, T* d_gate) {
  const int64_t slots = config.slots, size = config.size, reads = config.reads;
  const MannConst<T> old_read(before.read, slots, reads), read(after.read, slots, reads);
  const MannConst<T> keys(access.keys, size, reads), written(access.written, size, reads);
  const MannConst<T> write(trace.write, slots, reads), cosines(trace.cosines, slots, reads);
  const MannConst<T> content(config.read_before ? before.rows : after.rows, slots, size);
  const MannConst<T> d_vectors(d_vectors_at, size, reads);
  MannMap<T> d_rows(d_rows_at, slots, size), d_read(d_read_at, slots, reads);
  MannMap<T> d_keys(d_keys_at, size, reads), d_written(d_written_at, size, reads);

  // r = sum_i w^r(i) M(i), the softmax, and the cosines.
  MannMatrix<T> d_content = read * d_vectors.transpose();
  d_read.noalias() += content * d_vectors;
  MannMatrix<T> d_cosines(slots, reads);
  for (int64_t r = 0; r < reads; ++r) {
    d_cosines.col(r) = T(config.key_strength) * read.col(r).array() *
                       (d_read.col(r).array() - read.col(r).dot(d_read.col(r)));
  }
  const MannMatrix<T> directions = mann_directions<T>(keys);
  const MannVector<T> scales = mann_scales<T>(content);
  const MannVector<T> along = d_cosines.cwiseProduct(cosines).rowwise().sum();
  d_cosines.array().colwise() *= scales.array();
  d_content.noalias() += d_cosines * directions.transpose();
  d_content.array() -= content.array().colwise() * (scales.array().square() * along.array());
  d_keys.noalias() = content.transpose() * d_cosines;
  for (int64_t r = 0; r < reads; ++r) {
    const T dot = directions.col(r).dot(d_keys.col(r));
    d_keys.col(r) =
        (d_keys.col(r) - dot * directions.col(r)) / std::sqrt(keys.col(r).squaredNorm() + T(kMannTiny));
  }

  // What was written, and by which weights.
  if (!config.read_before) d_rows += d_content;
  d_written.noalias() = d_rows.transpose() * write;
  const MannMatrix<T> d_write = d_rows * written;
  for (int64_t r = 0; r < reads; ++r) {
    d_gate[r] = d_write.col(r).dot(old_read.col(r));
    mann_spots(config, trace.least, r, [&](int64_t row) { d_gate[r] -= d_write(row, r); });
    d_read.col(r) = access.gate[r] * d_write.col(r);
  }
  d_rows.row(trace.least[0]).setZero();
  if (config.read_before) d_rows += d_content;
}

#define INNERLOOP_MANN_MEMORY(T)                                                                  \
  template void mann_access(const MannConfig&, MannMemory<const T>, MannAccess<T>, MannMemory<T>, \
                            MannTrace<T>, T*);                                                    \
  template void mann_access_gradient(const MannConfig&, MannMemory<const T>, MannAccess<T>,       \
                                     MannMemory<const T>, MannTrace<const T>, const T*, T*, T*, T*, T*, T*);
INNERLOOP_MANN_MEMORY(float)
INNERLOOP_MANN_MEMORY(double)
#undef INNERLOOP_MANN_MEMORY

}  // namespace innerloop
