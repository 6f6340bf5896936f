#pragma once

#include "engine/classification/thresholds/certificate.h"
#include "engine/classification/thresholds/judgedrow.h"

#include <span>
#include <string>
#include <vector>

namespace sluice {

/// A query of which only the score is known, as the grid is made from.
struct GridScore
{
    double score = JudgedRow::never; ///< as JudgedRow::score
    int predicted = -1;
};

/// What is asked for. The grid is fixed by `gridScores`, before a label is looked at.
struct CertifyRequest
{
    double alpha = 0.05; ///< 0..1, exclusive
    double delta = 0.10; ///< 0..1, exclusive
    std::optional<double> outOfScopeShare; ///< bound in-scope and out-of-scope rows apart, and mix
                                           ///< them at this share
    GridOrigin gridOrigin = GridOrigin::Validation;
    std::vector<GridScore> gridScores;
    bool declaredHeldOut = false; ///< rows without a split were not used for anything else
    Provenance provenance;
};

/// How far from a certificate the rows are, at the threshold where testing began.
struct Shortfall
{
    double threshold = 1;
    std::int64_t accepted = 0;
    std::int64_t errors = 0;
    std::int64_t moreAccepted = 0; ///< so many more accepted rows, none of them wrong, certify it
    std::int64_t moreRows = 0; ///< labelled rows that takes, accepted at the share seen; -1: none
                               ///< was accepted, so there is no share
};

/// A certificate, or what it lacks.
struct Certification
{
    std::optional<Certificate> certificate;
    Shortfall shortfall; ///< without a certificate
};

/// Fixed-sequence testing (Learn then Test: Angelopoulos, Bates, Candes, Jordan, Lei, arXiv
/// 2110.01052) with the exact binomial. The grid is the quantiles of the grid's scores. Testing
/// begins at the strictest point that is expected to accept a share of 0.15 of all and twice what
/// could be certified if nothing of it were wrong (or at the loosest, where none does), goes from
/// strict to loose, and ends at the first threshold that can't be certified; the last one before it
/// is returned. With an assumed out-of-scope share pi the error rate is bounded by (pi F + (1 - pi)
/// w) / (pi F + (1 - pi)(w + g)): F the share of out-of-scope rows accepted, w and g of in-scope
/// rows accepted wrong and right, each bounded exactly at delta / 3. Input error for rows that
/// checkHeldOut() refuses, no rows, no grid, or a share without labelled out-of-scope rows. Pure;
/// O(n log n).
Result<Certification> certify(std::span<const JudgedRow> rows, const CertifyRequest& request);

/// Intents that share a threshold: a risk tier, a domain, or one intent alone.
struct IntentGroup
{
    std::string name;
    std::vector<int> labels;
};
struct GroupCertification
{
    std::string name;
    bool claimed = false; ///< had enough rows to be among the claims (judged without labels)
    Certification certification;
};

/// The same for what is accepted as an intent of each group; the threshold certified is the
/// intents' own, so no intent may be in two groups. Group claims hold each for itself; Simultaneous
/// ones all at once, at delta over the number of claims (Bonferroni): those groups that could reach
/// a certificate at that level at all, by how many rows the model gave them. `labels` names the
/// intents in the certificates. The scores must not hold thresholds of the intents' own
/// (OwnThresholds::Replace in evaluator.h).
Result<std::vector<GroupCertification>> certifyGroups(std::span<const JudgedRow> rows,
    std::span<const IntentGroup> groups, std::span<const std::string> labels, ClaimKind claim,
    const CertifyRequest& request);

} // namespace sluice
