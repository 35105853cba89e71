// The part of echarts that the pages use, as one file with the global name
// echarts. The locales ZH and EN and the dark theme come with the core.
import * as echarts from 'echarts/core';
import { BarChart, HeatmapChart, LineChart, MapChart, PieChart, ScatterChart } from 'echarts/charts';
import {
  AriaComponent, CalendarComponent, DatasetComponent, DataZoomComponent, GeoComponent, GridComponent,
  LegendComponent, MarkAreaComponent, MarkLineComponent, MarkPointComponent, TitleComponent,
  TooltipComponent, VisualMapComponent,
} from 'echarts/components';
import { LabelLayout, LegacyGridContainLabel } from 'echarts/features';
import { SVGRenderer } from 'echarts/renderers';

echarts.use([
  BarChart, HeatmapChart, LineChart, MapChart, PieChart, ScatterChart,
  AriaComponent, CalendarComponent, DatasetComponent, DataZoomComponent, GeoComponent, GridComponent,
  LegendComponent, MarkAreaComponent, MarkLineComponent, MarkPointComponent, TitleComponent,
  TooltipComponent, VisualMapComponent,
  LabelLayout, LegacyGridContainLabel,
  SVGRenderer,
]);

export * from 'echarts/core';
