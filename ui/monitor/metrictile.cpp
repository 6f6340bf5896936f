#include "ui/monitor/metrictile.h"

#include "ui/shell/text.h"

#include <QVBoxLayout>

namespace sluice::ui {

MetricTile::MetricTile(const QString& name, const QString& limitText, QWidget* parent)
    : Card(name, {}, parent)
    , m_state(new StatusLabel(this))
    , m_figure(new Text(FontRole::Figure, Ink::Text, QStringLiteral("–"), this))
    , m_limit(new Text(FontRole::Small, Ink::Muted, limitText, this))
    , m_limitText(limitText)
{
    addToTitle(m_state);
    content()->setSpacing(2);
    content()->addWidget(m_figure);
    m_limit->setElided(true);
    content()->addWidget(m_limit);
    content()->addStretch();
    setAccessibleName(name);
    setFigure(QStringLiteral("–"), ops::Judgement::NoData, {});
}

void MetricTile::setFigure(const QString& figure, ops::Judgement judgement, const QString& source)
{
    m_figure->setText(figure);
    switch (judgement) {
    case ops::Judgement::Ok:
        m_state->setStatus(Tone::Ok, QString());
        break;
    case ops::Judgement::Breach:
        m_state->setStatus(Tone::Bad, QString());
        break;
    case ops::Judgement::NoData:
        m_state->setStatus(Tone::None, QString());
        break;
    }
    setToolTip(source);
    setAccessibleDescription(figure
        % (judgement == ops::Judgement::Ok            ? tr(", within its target")
                : judgement == ops::Judgement::Breach ? tr(", misses its target")
                                                      : tr(", no data")));
}

void MetricTile::setDay(const QString& text)
{
    m_limit->setText(m_limitText % QStringLiteral(" · ") % text);
    m_limit->setToolTip(m_limit->text());
}

QString MetricTile::figure() const
{
    return m_figure->text();
}

} // namespace sluice::ui
