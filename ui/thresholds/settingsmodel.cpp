#include "ui/thresholds/settingsmodel.h"

#include "engine/classification/thresholds/statistics.h"
#include "ui/shell/format.h"
#include "ui/shell/theme.h"

#include <QFont>
#include <cmath>

namespace sluice::ui {

namespace {

using Kind = SettingsModel::Kind;

bool isThreshold(Kind kind)
{
    return kind == Kind::Global || kind == Kind::Intent;
}

std::pair<double, double> rangeOf(Kind kind)
{
    switch (kind) {
    case Kind::FollowUp:
    case Kind::Sensitive:
    case Kind::Rule:
        return {-1, 1};
    case Kind::Failures:
        return {0, 20};
    default:
        return {0, 1};
    }
}

/// "96.1 ±1.9", in percent, with Wilson's interval.
QString shareText(std::int64_t part, std::int64_t all)
{
    if (all == 0) {
        return format::missing();
    }
    const Interval interval = wilsonInterval(part, all);
    return format::plusMinus(
        double(part) / double(all) * 100, (interval.high - interval.low) * 50, 1);
}

} // namespace

SettingsModel::SettingsModel(TuningSession* session, QObject* parent)
    : QAbstractTableModel(parent)
    , m_session(session)
{
    connect(session, &TuningSession::dataChanged, this, &SettingsModel::rebuild);
    connect(session, &TuningSession::figuresChanged, this, &SettingsModel::refresh);
}

void SettingsModel::rebuild()
{
    beginResetModel();
    m_rows.clear();
    for (const Kind kind : {Kind::Global, Kind::Margin, Kind::ClarifyBand, Kind::FollowUp,
             Kind::Sensitive, Kind::Failures}) {
        m_rows.push_back({kind, 0});
    }
    for (std::size_t rule = 0; rule < m_session->draft().rules.size(); ++rule) {
        m_rows.push_back({Kind::Rule, int(rule)});
    }
    for (std::size_t label = 0; label < m_session->classifier().model().labels().size(); ++label) {
        m_rows.push_back({Kind::Intent, int(label)});
    }
    endResetModel();
}

void SettingsModel::refresh()
{
    std::size_t rules = 0;
    for (const Row& row : m_rows) {
        rules += row.kind == Kind::Rule ? 1 : 0;
    }
    if (m_rows.empty() || rules != m_session->draft().rules.size()) {
        rebuild();
        return;
    }
    Q_EMIT dataChanged(index(0, Support), index(int(m_rows.size()) - 1, ColumnCount - 1));
}

void SettingsModel::setGuarantee(const Guarantee* guarantee)
{
    m_certified.clear();
    if (guarantee != nullptr) {
        const auto& labels = m_session->classifier().model().labels();
        for (const GroupCertification& one : guarantee->found) {
            const auto& certificate = one.certification.certificate;
            const Shortfall& shortfall = one.certification.shortfall;
            const QString text = certificate
                ? tr("✓ %1").arg(format::fixed(certificate->threshold, 3))
                : one.claimed ? tr("△ %1 more rows").arg(shortfall.moreAccepted)
                              : tr("○ no claim: %1 more").arg(shortfall.moreAccepted);
            if (guarantee->claim == ClaimKind::Marginal) {
                m_certified[""] = text;
            } else if (certificate) {
                for (const std::string& intent : certificate->intents) {
                    m_certified[intent] = text;
                }
            } else if (std::binary_search(labels.begin(), labels.end(), one.name)) {
                m_certified[one.name] = text;
            }
        }
    }
    refresh();
}

int SettingsModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : int(m_rows.size());
}

int SettingsModel::columnCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : ColumnCount;
}

QString SettingsModel::nameOf(const Row& row) const
{
    const ThresholdSet& set = m_session->draft();
    switch (row.kind) {
    case Kind::Global:
        return tr("Global threshold");
    case Kind::Margin:
        return tr("Margin over the second");
    case Kind::ClarifyBand:
        return tr("Clarify band below");
    case Kind::FollowUp:
        return tr("On follow-up turns");
    case Kind::Sensitive:
        return tr("Sensitive intents (%1)").arg(set.sensitiveIntents.size());
    case Kind::Failures:
        return tr("Clarify after failures");
    case Kind::Rule: {
        const ContextRule& rule = set.rules[std::size_t(row.index)];
        QString text = tr("Rule %1").arg(QLatin1StringView(toString(rule.when).data()));
        if (rule.when == Condition::RepeatedFailure) {
            text += tr(" from %1 on").arg(rule.failures);
        } else if (rule.when == Condition::TimeOfDay) {
            const auto clock = [](int minute) {
                return QStringLiteral("%1:%2")
                    .arg(minute / 60, 2, 10, QLatin1Char('0'))
                    .arg(minute % 60, 2, 10, QLatin1Char('0'));
            };
            text += tr(" %1 to %2").arg(clock(rule.from), clock(rule.to));
        }
        return text;
    }
    case Kind::Intent:
        break;
    }
    const std::string& label = m_session->classifier().model().labels()[std::size_t(row.index)];
    const QString name = QString::fromStdString(label);
    return set.sensitiveIntents.contains(label) ? tr("%1 · sensitive").arg(name) : name;
}

double SettingsModel::valueOf(const ThresholdSet& set, const Row& row) const
{
    switch (row.kind) {
    case Kind::Global:
        return set.global;
    case Kind::Margin:
        return set.margin;
    case Kind::ClarifyBand:
        return set.clarifyBand;
    case Kind::FollowUp:
        return set.followUp;
    case Kind::Sensitive:
        return set.sensitive;
    case Kind::Failures:
        return set.failuresBeforeClarify;
    case Kind::Rule:
        return std::size_t(row.index) < set.rules.size() ? set.rules[std::size_t(row.index)].add
                                                         : 0;
    case Kind::Intent:
        break;
    }
    const auto own =
        set.perIntent.find(m_session->classifier().model().labels()[std::size_t(row.index)]);
    return own == set.perIntent.end() ? set.global : own->second;
}

void SettingsModel::setValue(int row, double value, bool merge)
{
    const Row& at = m_rows[std::size_t(row)];
    ThresholdSet set = m_session->draft();
    const auto [low, high] = rangeOf(at.kind);
    value = std::clamp(std::round(value * 1000) / 1000, low, high);
    switch (at.kind) {
    case Kind::Global:
        set.global = value;
        break;
    case Kind::Margin:
        set.margin = value;
        break;
    case Kind::ClarifyBand:
        set.clarifyBand = value;
        break;
    case Kind::FollowUp:
        set.followUp = value;
        break;
    case Kind::Sensitive:
        set.sensitive = value;
        break;
    case Kind::Failures:
        set.failuresBeforeClarify = int(value);
        break;
    case Kind::Rule:
        set.rules[std::size_t(at.index)].add = value;
        break;
    case Kind::Intent:
        set.perIntent[m_session->classifier().model().labels()[std::size_t(at.index)]] = value;
        break;
    }
    m_session->edit(set, nameOf(at),
        merge ? QStringLiteral("%1.%2").arg(int(at.kind)).arg(at.index) : QString());
}

void SettingsModel::clearValue(int row)
{
    const Row& at = m_rows[std::size_t(row)];
    ThresholdSet set = m_session->draft();
    if (at.kind == Kind::Intent) {
        set.perIntent.erase(m_session->classifier().model().labels()[std::size_t(at.index)]);
    } else if (at.kind == Kind::Rule) {
        set.rules.erase(set.rules.begin() + at.index);
    }
    m_session->edit(set, tr("%1 taken away").arg(nameOf(at)));
}

bool SettingsModel::isSensitive(int row) const
{
    const Row& at = m_rows[std::size_t(row)];
    return at.kind == Kind::Intent
        && m_session->draft().sensitiveIntents.contains(
            m_session->classifier().model().labels()[std::size_t(at.index)]);
}

void SettingsModel::toggleSensitive(int row)
{
    const Row& at = m_rows[std::size_t(row)];
    if (at.kind != Kind::Intent) {
        return;
    }
    ThresholdSet set = m_session->draft();
    const std::string& label = m_session->classifier().model().labels()[std::size_t(at.index)];
    if (set.sensitiveIntents.erase(label) == 0) {
        set.sensitiveIntents.insert(label);
    }
    m_session->edit(set, tr("%1 sensitive or not").arg(QString::fromStdString(label)));
}

double SettingsModel::number(const Row& row, int column) const
{
    if (row.kind != Kind::Intent) {
        return std::nan("");
    }
    const ops::IntentFigures& intent = m_session->figures().intents[std::size_t(row.index)];
    switch (column) {
    case Support:
        return double(intent.support);
    case Value:
    case Bar:
        return valueOf(m_session->draft(), row);
    case Precision:
        return intent.judged() == 0 ? -1 : intent.precision();
    case Recall:
        return intent.support == 0 ? -1 : intent.recall();
    case Coverage:
        return intent.candidates == 0 ? -1 : intent.coverage();
    case Wrong:
        return double(intent.wrong);
    default:
        return 0;
    }
}

QVariant SettingsModel::figure(const Row& row, int column) const
{
    if (column == Certified) {
        const std::string key = row.kind == Kind::Intent
            ? m_session->classifier().model().labels()[std::size_t(row.index)]
            : std::string();
        const auto found = m_certified.find(key);
        const bool wanted = isThreshold(row.kind);
        return wanted && found != m_certified.end() ? found->second : QString();
    }
    const auto n = [](std::size_t value) { return std::int64_t(value); };
    if (row.kind == Kind::Global) {
        const Outcome& all = m_session->figures().outcome;
        switch (column) {
        case Support:
            return format::count(double(all.rows()));
        case Precision:
            return shareText(n(all.acceptedRight), n(all.accepted));
        case Recall:
            return shareText(n(all.acceptedRight), n(all.inScope));
        case Coverage:
            return shareText(n(all.accepted), n(all.rows()));
        case Wrong:
            return format::count(double(all.acceptedWrong()));
        default:
            return {};
        }
    }
    if (row.kind != Kind::Intent) {
        return {};
    }
    const ops::IntentFigures& intent = m_session->figures().intents[std::size_t(row.index)];
    switch (column) {
    case Support:
        return format::count(double(intent.support));
    case Precision:
        return shareText(n(intent.right), n(intent.judged()));
    case Recall:
        return shareText(n(intent.right), n(intent.support));
    case Coverage:
        return shareText(n(intent.accepted), n(intent.candidates));
    case Wrong:
        return format::count(double(intent.wrong));
    default:
        return {};
    }
}

QVariant SettingsModel::toolTip(const Row& row, int column) const
{
    const ThresholdSet& live = m_session->live();
    switch (column) {
    case Name:
        return row.kind == Kind::Intent
            ? tr("S marks it as sensitive, Delete gives it the global threshold back")
            : QVariant();
    case Value:
    case Bar:
        return tr("live: %1 · − and + move it by 0.01, Delete takes an own threshold away")
            .arg(format::fixed(valueOf(live, row), 3));
    case Precision:
        return tr("right among those accepted as it, with a 95 % interval (Wilson)");
    case Recall:
        return tr("accepted as it among those labelled with it");
    case Coverage:
        return tr("accepted among those that the model takes for it");
    case Wrong:
        return tr("accepted as it, and labelled otherwise or out of scope");
    default:
        return {};
    }
}

QVariant SettingsModel::data(const QModelIndex& index, int role) const
{
    if (!index.isValid() || std::size_t(index.row()) >= m_rows.size()) {
        return {};
    }
    const Row& row = m_rows[std::size_t(index.row())];
    const ThresholdSet& set = m_session->draft();
    const bool own = row.kind != Kind::Intent
        || set.perIntent.contains(m_session->classifier().model().labels()[std::size_t(row.index)]);
    switch (role) {
    case Qt::DisplayRole:
        if (index.column() == Name) {
            return nameOf(row);
        }
        if (index.column() == Value) {
            return row.kind == Kind::Failures
                ? (set.failuresBeforeClarify == 0 ? tr("never")
                                                  : format::count(set.failuresBeforeClarify))
                : isThreshold(row.kind) || row.kind == Kind::Margin || row.kind == Kind::ClarifyBand
                ? format::fixed(valueOf(set, row), 3)
                : format::signedFixed(valueOf(set, row), 3);
        }
        return index.column() == Bar ? QVariant() : figure(row, index.column());
    case Qt::EditRole:
    case ValueRole:
        return valueOf(set, row);
    case LiveRole:
        return valueOf(m_session->live(), row);
    case LowRole:
        return rangeOf(row.kind).first;
    case HighRole:
        return rangeOf(row.kind).second;
    case OwnRole:
        return own;
    case SortRole:
        return index.column() == Name || index.column() == Certified
            ? QVariant(nameOf(row))
            : QVariant(number(row, index.column()));
    case Qt::ToolTipRole:
        return toolTip(row, index.column());
    case Qt::TextAlignmentRole:
        return int((index.column() == Name ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
    case Qt::AccessibleTextRole:
        return index.column() == Bar ? QVariant(format::fixed(valueOf(set, row), 3)) : QVariant();
    case Qt::ForegroundRole:
        if (index.column() == Value && !own) {
            return theme().colors().faint;
        }
        if (index.column() == Certified) {
            const QString text = figure(row, Certified).toString();
            return theme().color(text.startsWith(QChar(u'✓')) ? Tone::Ok
                    : text.startsWith(QChar(u'△'))            ? Tone::Warn
                                                              : Tone::None);
        }
        return {};
    default:
        return {};
    }
}

bool SettingsModel::setData(const QModelIndex& index, const QVariant& value, int role)
{
    bool number = false;
    const double wanted = value.toDouble(&number);
    if (role != Qt::EditRole || !index.isValid() || !number) {
        return false;
    }
    setValue(index.row(), wanted, false);
    return true;
}

Qt::ItemFlags SettingsModel::flags(const QModelIndex& index) const
{
    const Qt::ItemFlags flags = QAbstractTableModel::flags(index);
    return index.column() == Value ? flags | Qt::ItemIsEditable : flags;
}

QVariant SettingsModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal) {
        return {};
    }
    if (role == Qt::TextAlignmentRole) {
        return int((section == Name ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
    }
    if (role != Qt::DisplayRole) {
        return {};
    }
    const QString names[] = {tr("setting or intent"), tr("support"), tr("value"), QString(),
        tr("precision %"), tr("recall %"), tr("coverage %"), tr("wrong"), tr("certificate")};
    return names[section];
}

bool SettingsProxy::lessThan(const QModelIndex& left, const QModelIndex& right) const
{
    const auto* model = static_cast<const SettingsModel*>(sourceModel());
    const bool leftIntent = model->row(left.row()).kind == SettingsModel::Kind::Intent;
    const bool rightIntent = model->row(right.row()).kind == SettingsModel::Kind::Intent;
    if (!leftIntent || !rightIntent) { // settings stay on top, in their order
        const bool less = leftIntent == rightIntent ? left.row() < right.row() : !leftIntent;
        return sortOrder() == Qt::AscendingOrder
            ? less
            : (leftIntent == rightIntent ? left.row() > right.row() : leftIntent);
    }
    return QSortFilterProxyModel::lessThan(left, right);
}

} // namespace sluice::ui
