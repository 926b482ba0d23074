#include "nt_hnsw.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>
#include <vector>

#include <usearch/index.hpp>

namespace {

/* USearch checks for null and never expects an exception: std::allocator would end the process. */
template <typename element_at> struct null_allocator {
    using value_type = element_at;
    null_allocator() noexcept = default;
    template <typename other_at> null_allocator(null_allocator<other_at> const &) noexcept {}
    element_at *allocate(std::size_t count) noexcept {
        if (count > SIZE_MAX / sizeof(element_at) / 2) return nullptr;
        std::size_t bytes = count * sizeof(element_at);
        if (alignof(element_at) <= alignof(std::max_align_t)) return static_cast<element_at *>(std::malloc(bytes));
        return static_cast<element_at *>(std::aligned_alloc(alignof(element_at), bytes));
    }
    void deallocate(element_at *pointer, std::size_t) noexcept { std::free(pointer); }
    template <typename other_at> bool operator==(null_allocator<other_at> const &) const noexcept { return true; }
    template <typename other_at> bool operator!=(null_allocator<other_at> const &) const noexcept { return false; }
};

using index_t = unum::usearch::index_gt<float, std::uint32_t, std::uint32_t, null_allocator<char>>;
using member_t = index_t::member_citerator_t;

/* The row being added, with what does not change while it is compared. */
struct newcomer {
    std::int8_t const *codes;
    float inverse_norm;
    std::int32_t bias;
};

/* Through the table of kernels: compiled in for one dimension, building was 4% faster, within the noise. */
struct cosine {
    nt_kernels const *kernels;
    nt_vectors const *vectors;

    std::int8_t const *codes(std::size_t row) const noexcept { return vectors->codes + row * vectors->dimension; }

    float operator()(newcomer const &row, member_t member) const noexcept {
        std::size_t slot = get_slot(member);
        std::int32_t dot = kernels->dot_biased(codes(slot), row.codes, vectors->dimension, row.bias);
        return nt_cosine(dot, vectors->inverse_norm[slot], row.inverse_norm);
    }
    float operator()(member_t a, member_t b) const noexcept {
        std::int32_t dot = kernels->dot(codes(get_slot(a)), codes(get_slot(b)), vectors->dimension);
        return nt_cosine(dot, vectors->inverse_norm[get_slot(a)], vectors->inverse_norm[get_slot(b)]);
    }
};

struct prefetch_codes {
    nt_vectors const *vectors;
    template <typename iterator_at> void operator()(iterator_at at, iterator_at end) const noexcept {
        for (; at != end; ++at) {
            std::int8_t const *codes = vectors->codes + std::size_t(get_slot(at)) * vectors->dimension;
            for (std::size_t j = 0; j < vectors->dimension; j += 64) __builtin_prefetch(codes + j);
        }
    }
};

/* Where searches enter: USearch keeps it private but writes it at the head of its files. */
std::uint32_t entry_of(index_t const &index) {
    unum::usearch::index_serialized_header_t header{};
    auto first = [&header](void const *bytes, std::size_t count) {
        if (count == sizeof header) std::memcpy(&header, bytes, sizeof header);
        return false;
    };
    (void)index.save_to_stream(first).error.release();
    return static_cast<std::uint32_t>(header.entry_slot);
}

/* Rows of every upper level, ascending. */
std::vector<std::vector<std::uint32_t>> rows_by_level(index_t const &index) {
    std::size_t levels = std::min<std::size_t>(index.max_level(), NT_GRAPH_LEVELS_MAX);
    std::vector<std::vector<std::uint32_t>> rows(levels);
    for (std::uint32_t row = 0; row < index.size(); row++)
        for (std::size_t level = 1; level <= std::min(levels, index.level_of(row)); level++)
            rows[level - 1].push_back(row);
    return rows;
}

std::uint32_t place_of(std::vector<std::uint32_t> const &rows, std::uint32_t row) {
    return static_cast<std::uint32_t>(std::lower_bound(rows.begin(), rows.end(), row) - rows.begin());
}

void lay_flat(index_t const &index, std::vector<std::vector<std::uint32_t>> const &rows, nt_graph *graph) {
    for (std::uint32_t row = 0; row < index.size(); row++) {
        std::uint32_t *to = nt_graph_base_links(graph, row);
        for (auto member : index.neighbors(row, 0)) *to++ = static_cast<std::uint32_t>(member.slot);
    }
    for (std::size_t level = 1; level <= rows.size(); level++) {
        nt_graph_level *flat = nt_graph_level_at(graph, static_cast<std::uint32_t>(level));
        std::vector<std::uint32_t> const &here = rows[level - 1];
        for (std::size_t place = 0; place < here.size(); place++) {
            flat->rows[place] = here[place];
            flat->below[place] = level == 1 ? here[place] : place_of(rows[level - 2], here[place]);
            std::uint32_t *to = flat->links + place * nt_graph_connectivity(graph);
            for (auto member : index.neighbors(here[place], level))
                *to++ = place_of(here, static_cast<std::uint32_t>(member.slot));
        }
    }
}

} // namespace

struct nt_hnsw_builder {
    index_t index;
    nt_kernels const *kernels;
    nt_vectors vectors;
    std::uint32_t connectivity;
    std::uint32_t expansion;
};

nt_status nt_hnsw_begin(const nt_kernels *kernels, const nt_vectors *vectors, uint32_t connectivity, uint32_t expansion,
                        nt_hnsw_builder **builder_out) {
    if (connectivity < 2 || connectivity > NT_GRAPH_CONNECTIVITY_MAX || expansion == 0) return NT_INVALID;
    try {
        unum::usearch::index_config_t config(connectivity, 2 * connectivity);
        auto *builder = new nt_hnsw_builder{index_t(config), kernels, *vectors, connectivity, expansion};
        if (!builder->index.try_reserve(unum::usearch::index_limits_t(vectors->count, 1))) {
            delete builder;
            return NT_NO_MEMORY;
        }
        *builder_out = builder;
        return NT_OK;
    } catch (std::bad_alloc const &) {
        return NT_NO_MEMORY;
    }
}

nt_status nt_hnsw_add(nt_hnsw_builder *builder, uint32_t stop) {
    nt_vectors const &vectors = builder->vectors;
    cosine metric{builder->kernels, &vectors};
    prefetch_codes prefetch{&vectors};
    unum::usearch::index_update_config_t config;
    config.expansion = builder->expansion;
    if (stop > vectors.count) stop = vectors.count;
    for (std::uint32_t row = static_cast<std::uint32_t>(builder->index.size()); row < stop; row++) {
        std::int8_t const *codes = metric.codes(row);
        newcomer value{codes, vectors.inverse_norm[row], nt_bias_of(codes, vectors.dimension)};
        auto result = builder->index.add(row, value, metric, config, unum::usearch::dummy_callback_t{}, prefetch);
        if (result.error.release() != nullptr) return NT_NO_MEMORY;
    }
    return NT_OK;
}

nt_status nt_hnsw_finish(nt_hnsw_builder *builder, nt_graph **graph_out) {
    index_t const &index = builder->index;
    if (index.size() != builder->vectors.count) return NT_STATE;
    try {
        auto rows = rows_by_level(index);
        std::uint32_t sizes[NT_GRAPH_LEVELS_MAX] = {};
        for (std::size_t i = 0; i < rows.size(); i++) sizes[i] = static_cast<std::uint32_t>(rows[i].size());
        std::uint32_t entry = index.size() > 0 ? entry_of(index) : 0;
        if (!rows.empty()) entry = place_of(rows.back(), entry);
        nt_graph *graph = nt_graph_new(builder->vectors.count, builder->vectors.dimension, builder->connectivity,
                                       static_cast<std::uint32_t>(rows.size()), sizes, entry);
        if (graph == nullptr) return NT_NO_MEMORY;
        lay_flat(index, rows, graph);
        *graph_out = graph;
        return NT_OK;
    } catch (std::bad_alloc const &) {
        return NT_NO_MEMORY;
    }
}

void nt_hnsw_free(nt_hnsw_builder *builder) { delete builder; }
