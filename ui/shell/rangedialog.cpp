#include "ui/shell/rangedialog.h"

#include "ui/shell/text.h"

#include <QDateTimeEdit>
#include <QDialogButtonBox>
#include <QGridLayout>
#include <QLineEdit>
#include <QPushButton>
#include <QRadioButton>
#include <QRegularExpression>

namespace sluice::ui {

namespace {

constexpr double shortest = 10;
constexpr double longest = 400 * 86400.0;

QDateTime at(double seconds)
{
    return QDateTime::fromMSecsSinceEpoch(qint64(seconds * 1000));
}

} // namespace

RangeDialog::RangeDialog(const TimeRange& range, QWidget* parent)
    : QDialog(parent)
    , m_isRelative(new QRadioButton(tr("The last"), this))
    , m_isAbsolute(new QRadioButton(tr("From"), this))
    , m_last(new QLineEdit(QStringLiteral("%1 min").arg(range.seconds / 60), this))
    , m_from(new QDateTimeEdit(this))
    , m_to(new QDateTimeEdit(this))
    , m_problem(new Text(FontRole::Small, Ink::Warn, {}, this))
    , m_buttons(new QDialogButtonBox(QDialogButtonBox::Ok | QDialogButtonBox::Cancel, this))
{
    setWindowTitle(tr("What the charts show"));
    m_last->setAccessibleName(tr("Length, as in 90 min, 2 h or 3 d"));
    m_last->setPlaceholderText(tr("90 min, 2 h, 3 d"));
    m_from->setAccessibleName(tr("From"));
    m_to->setAccessibleName(tr("To"));
    const double end = range.isAbsolute() ? range.end : double(QDateTime::currentSecsSinceEpoch());
    m_from->setDateTime(at(range.isAbsolute() ? range.start : end - range.seconds));
    m_to->setDateTime(at(end));
    for (QDateTimeEdit* edit : {m_from, m_to}) {
        edit->setDisplayFormat(QStringLiteral("yyyy-MM-dd HH:mm:ss"));
        edit->setCalendarPopup(true);
        connect(edit, &QDateTimeEdit::dateTimeChanged, this, [this] {
            m_isAbsolute->setChecked(true);
            check();
        });
    }
    auto* layout = new QGridLayout(this);
    layout->addWidget(m_isRelative, 0, 0);
    layout->addWidget(m_last, 0, 1);
    layout->addWidget(m_isAbsolute, 1, 0);
    layout->addWidget(m_from, 1, 1);
    layout->addWidget(new Text(FontRole::Base, Ink::Text, tr("to"), this), 2, 0, Qt::AlignRight);
    layout->addWidget(m_to, 2, 1);
    layout->addWidget(m_problem, 3, 0, 1, 2);
    layout->addWidget(m_buttons, 4, 0, 1, 2);
    m_buttons->button(QDialogButtonBox::Ok)->setText(tr("Show"));
    (range.isAbsolute() ? m_isAbsolute : m_isRelative)->setChecked(true);
    connect(m_last, &QLineEdit::textEdited, this, [this] { m_isRelative->setChecked(true); });
    connect(m_last, &QLineEdit::textChanged, this, &RangeDialog::check);
    connect(m_isRelative, &QRadioButton::toggled, this, &RangeDialog::check);
    connect(m_buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    connect(m_buttons, &QDialogButtonBox::accepted, this, [this] {
        if (const auto asked = this->range()) {
            Q_EMIT chosen(*asked);
            accept();
        }
    });
    m_last->selectAll();
    m_last->setFocus();
    check();
}

std::optional<double> RangeDialog::seconds(const QString& text)
{
    static const QRegularExpression form(
        QStringLiteral("^\\s*(\\d+(?:\\.\\d+)?)\\s*(s|sec|m|min|h|d|w)?\\s*$"));
    const QRegularExpressionMatch match = form.match(text);
    if (!match.hasMatch()) {
        return std::nullopt;
    }
    const QString unit = match.captured(2);
    const double factor = unit.startsWith(u's') ? 1
        : unit == u'h'                          ? 3600
        : unit == u'd'                          ? 86400
        : unit == u'w'                          ? 604800
                                                : 60;
    const double length = match.captured(1).toDouble() * factor;
    return length >= shortest && length <= longest ? std::optional(length) : std::nullopt;
}

std::optional<TimeRange> RangeDialog::range() const
{
    if (m_isRelative->isChecked()) {
        const auto length = seconds(m_last->text());
        return length ? std::optional(TimeRange{*length, 0, 0}) : std::nullopt;
    }
    const double from = double(m_from->dateTime().toMSecsSinceEpoch()) / 1000;
    const double to = double(m_to->dateTime().toMSecsSinceEpoch()) / 1000;
    return to - from >= shortest && to - from <= longest
        ? std::optional(TimeRange{to - from, from, to})
        : std::nullopt;
}

void RangeDialog::check()
{
    const bool good = range().has_value();
    m_buttons->button(QDialogButtonBox::Ok)->setEnabled(good);
    m_problem->setText(good ? QString()
            : m_isRelative->isChecked()
            ? tr("A length from 10 s to 400 d, as in 90 min, 2 h or 3 d.")
            : tr("The end must lie 10 s to 400 days after the start."));
}

} // namespace sluice::ui
