#include "ui/shell/complaintdialog.h"

#include "ui/shell/button.h"

#include <QComboBox>
#include <QFormLayout>
#include <QLineEdit>

namespace sluice::ui {

ComplaintDialog::ComplaintDialog(const QStringList& intents, QWidget* parent)
    : QDialog(parent)
    , m_query(new QLineEdit(this))
    , m_label(new QComboBox(this))
    , m_note(new QLineEdit(this))
    , m_record(new Button(tr("Record"), ButtonRole::Primary, this))
{
    setWindowTitle(tr("Record a complaint"));
    setMinimumWidth(480);
    m_query->setAccessibleName(tr("Query"));
    m_query->setPlaceholderText(tr("What the customer wrote"));
    m_label->setAccessibleName(tr("What would have been right"));
    m_label->addItem(tr("not known"), QString());
    for (const QString& intent : intents) {
        m_label->addItem(intent, intent);
    }
    m_label->addItem(tr("out of scope"), QStringLiteral("oos"));
    m_note->setAccessibleName(tr("Note"));
    auto* form = new QFormLayout(this);
    form->addRow(tr("Query"), m_query);
    form->addRow(tr("Right would be"), m_label);
    form->addRow(tr("Note"), m_note);
    auto* cancel = new Button(tr("Cancel"), ButtonRole::Plain, this);
    auto* row = new QHBoxLayout;
    row->addStretch();
    row->addWidget(cancel);
    row->addWidget(m_record);
    form->addRow(row);
    m_record->setEnabled(false);
    connect(m_query, &QLineEdit::textChanged, this, &ComplaintDialog::update);
    connect(m_note, &QLineEdit::textChanged, this, &ComplaintDialog::update);
    connect(cancel, &Button::clicked, this, &QDialog::reject);
    connect(m_record, &Button::clicked, this, [this] {
        ops::FeedbackItem item;
        item.kind = QStringLiteral("complaint");
        item.query = m_query->text().trimmed();
        item.label = m_label->currentData().toString();
        item.note = m_note->text().trimmed();
        if (m_pool != nullptr) {
            item.session = m_session->text().trimmed();
            item.pool = m_pool->currentData().toString();
        }
        accept();
        Q_EMIT recorded(item);
    });
}

void ComplaintDialog::askPool(const QStringList& pools)
{
    m_session = new QLineEdit(this);
    m_session->setAccessibleName(tr("Session"));
    m_session->setPlaceholderText(tr("X-Session-Id of the customer, where it is known"));
    m_pool = new QComboBox(this);
    m_pool->setAccessibleName(tr("Pool"));
    m_pool->addItem(tr("that of the session"), QString());
    for (const QString& pool : pools) {
        m_pool->addItem(pool, pool);
    }
    auto* form = static_cast<QFormLayout*>(layout());
    form->insertRow(0, tr("Session"), m_session);
    form->insertRow(1, tr("Pool"), m_pool);
    connect(m_session, &QLineEdit::textChanged, this, &ComplaintDialog::update);
    connect(m_pool, &QComboBox::currentIndexChanged, this, &ComplaintDialog::update);
    update();
}

void ComplaintDialog::update()
{
    const auto isSaid = [](const QLineEdit* line) { return !line->text().trimmed().isEmpty(); };
    const bool aboutSomebody =
        m_pool == nullptr || isSaid(m_session) || !m_pool->currentData().toString().isEmpty();
    m_record->setEnabled(
        aboutSomebody && (isSaid(m_query) || (m_pool != nullptr && isSaid(m_note))));
}

} // namespace sluice::ui
