#pragma once

#include <QDialog>

class QTextBrowser;

namespace sluice::ui {

/// The guide of one page (resources/guides), beside the window: it may stay open.
class Guide : public QDialog
{
    Q_OBJECT

public:
    explicit Guide(QWidget* parent = nullptr);

    void showPage(const QString& id); ///< id of a workspace; empty: the welcome page
    QString text() const;

private:
    QTextBrowser* m_text;
};

} // namespace sluice::ui
