#pragma once

#include <array>
#include <cstddef>

namespace sluice {

/// Solves the symmetric positive definite system h x = g by Gaussian elimination.
template <std::size_t N>
std::array<double, N> solve(std::array<std::array<double, N>, N> h, std::array<double, N> g)
{
    for (std::size_t pivot = 0; pivot < N; ++pivot) {
        for (std::size_t row = pivot + 1; row < N; ++row) {
            const double factor = h[row][pivot] / h[pivot][pivot];
            for (std::size_t column = pivot; column < N; ++column) {
                h[row][column] -= factor * h[pivot][column];
            }
            g[row] -= factor * g[pivot];
        }
    }
    std::array<double, N> x{};
    for (std::size_t back = N; back-- > 0;) {
        double sum = g[back];
        for (std::size_t column = back + 1; column < N; ++column) {
            sum -= h[back][column] * x[column];
        }
        x[back] = sum / h[back][back];
    }
    return x;
}

} // namespace sluice
