#include "ui/shell/guide.h"

#include "ui/shell/theme.h"

#include <QFile>
#include <QTextBrowser>
#include <QVBoxLayout>

/// Of the static library; at global scope, as Qt asks.
static void initGuides()
{
    Q_INIT_RESOURCE(guides);
}

namespace sluice::ui {

Guide::Guide(QWidget* parent)
    : QDialog(parent)
    , m_text(new QTextBrowser(this))
{
    initGuides();
    setWindowTitle(tr("Guide"));
    resize(560, 620);
    m_text->setAccessibleName(tr("Guide"));
    m_text->setFrameShape(QFrame::NoFrame);
    m_text->setFont(theme().font(FontRole::Base));
    auto* layout = new QVBoxLayout(this);
    layout->addWidget(m_text);
}

void Guide::showPage(const QString& id)
{
    const QString page = id.isEmpty() ? QStringLiteral("welcome") : id;
    QFile file(QStringLiteral(":/guides/%1.md").arg(page));
    m_text->setMarkdown(file.open(QIODevice::ReadOnly) ? QString::fromUtf8(file.readAll())
                                                       : tr("There is no guide to this page yet."));
}

QString Guide::text() const
{
    return m_text->toPlainText();
}

} // namespace sluice::ui
