#pragma once

#include <QTableView>

namespace sluice::ui {

class SettingsModel;
class SettingsProxy;

/// The table of a threshold set: values typed or dragged; − and + move the current one, Delete
/// takes an intent's own away, S marks it as sensitive.
class SettingsTable : public QTableView
{
    Q_OBJECT

public:
    explicit SettingsTable(SettingsModel* model, QWidget* parent = nullptr);
    SettingsProxy* proxy() const { return m_proxy; }

Q_SIGNALS:
    void ruleOpened(int index); ///< of the draft's context rules
    void intentOpened(int label); ///< double-clicked on its name, or Return

protected:
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    bool isBar(const QModelIndex& index) const;
    void drag(const QPoint& place);
    int sourceRow() const; ///< of the current row; -1: none

    SettingsModel* m_model;
    SettingsProxy* m_proxy;
    QModelIndex m_dragged;
};

} // namespace sluice::ui
