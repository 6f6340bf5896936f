#include "ui/shell/confirmdialog.h"

#include "ui/shell/chip.h"
#include "ui/shell/text.h"

#include <QHBoxLayout>
#include <QLineEdit>
#include <QVBoxLayout>

namespace sluice::ui {

ConfirmDialog::ConfirmDialog(const Confirmation& confirmation, QWidget* parent)
    : QDialog(parent)
    , m_verb(new Button(
          confirmation.verb, confirmation.danger ? ButtonRole::Danger : ButtonRole::Primary))
    , m_cancel(new Button(tr("Cancel")))
{
    setWindowTitle(confirmation.title);
    setModal(true);
    setAttribute(Qt::WA_DeleteOnClose);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(20, 18, 20, 16);
    layout->setSpacing(10);
    auto* title = new Text(FontRole::Title, Ink::Text, confirmation.title);
    layout->addWidget(title);
    if (!confirmation.environment.isEmpty()) {
        auto* where = new Chip({tr("runs against "), confirmation.environment,
            confirmation.production ? tr(" · production") : QString(),
            confirmation.production ? Tone::Bad : Tone::Ok, {}});
        layout->addWidget(where, 0, Qt::AlignLeft);
    }
    for (const QString& line : {confirmation.object, confirmation.consequence}) {
        if (!line.isEmpty()) {
            auto* text = new Text(
                FontRole::Base, &line == &confirmation.object ? Ink::Text : Ink::Muted, line);
            text->setWordWrap(true);
            layout->addWidget(text);
        }
    }
    const auto addField = [&](const QString& text) {
        auto* label = new Text(FontRole::Base, Ink::Muted, text);
        label->setWordWrap(true);
        auto* edit = new QLineEdit;
        edit->setAccessibleName(text);
        label->setBuddy(edit);
        layout->addWidget(label);
        layout->addWidget(edit);
        connect(edit, &QLineEdit::textChanged, this, &ConfirmDialog::updateVerb);
        return edit;
    };
    if (!confirmation.reasonWanted.isEmpty()) {
        m_reason = addField(confirmation.reasonWanted);
    }
    if (!confirmation.typeToConfirm.isEmpty()) {
        m_wanted = confirmation.typeToConfirm;
        m_typed = addField(tr("Type %1 to go on").arg(m_wanted));
    }
    updateVerb();
    auto* buttons = new QHBoxLayout;
    buttons->addStretch();
    buttons->addWidget(m_cancel);
    buttons->addWidget(m_verb);
    layout->addSpacing(6);
    layout->addLayout(buttons);
    m_cancel->setDefault(true);
    m_cancel->setFocus();
    connect(m_cancel, &QPushButton::clicked, this, &QDialog::reject);
    connect(m_verb, &QPushButton::clicked, this, &QDialog::accept);
    setMinimumWidth(440);
}

QString ConfirmDialog::reason() const
{
    return m_reason == nullptr ? QString() : m_reason->text().trimmed();
}

void ConfirmDialog::updateVerb()
{
    m_verb->setEnabled((m_typed == nullptr || m_typed->text() == m_wanted)
        && (m_reason == nullptr || !reason().isEmpty()));
}

} // namespace sluice::ui
